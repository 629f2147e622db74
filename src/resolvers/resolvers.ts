// The resolver map of Bandha's own schema: one root field a file.
import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import type { YogaInitialContext } from 'graphql-yoga';
import type { Accounts } from '../accounts/accounts.ts';
import type { BandhaContext } from '../context.ts';
import { descriptionOf } from '../schema/base-schema.ts';
import type { GetClientInfo } from './client-info.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { logoutEverywhere } from './logout-everywhere.ts';
import { createReadOnce } from './read-once.ts';
import { refresh } from './refresh.ts';
import { register } from './register.ts';
import { revokeSession } from './revoke-session.ts';
import { secureData } from './secure-data.ts';
import { sessions } from './sessions.ts';
import { viewer } from './viewer.ts';

/** With the schema's own name and description: the package's would take their place. */
const dateTime = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: descriptionOf('DateTime'),
});

export type ResolverContext = YogaInitialContext & BandhaContext;

export function createResolvers(accounts: Accounts, getClientInfo: GetClientInfo) {
  const readAccount = createReadOnce(({ userId }) => accounts.findAccount(userId));
  return {
    DateTime: dateTime,
    Query: {
      viewer: viewer(readAccount),
      secureData: secureData(readAccount),
      sessions: sessions(createReadOnce(({ userId }) => accounts.listSessions(userId))),
    },
    Mutation: {
      register: register(accounts, getClientInfo),
      login: login(accounts, getClientInfo),
      refresh: refresh(accounts),
      logout: logout(accounts),
      logoutEverywhere: logoutEverywhere(accounts),
      revokeSession: revokeSession(accounts),
    },
  };
}
