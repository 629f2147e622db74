// The resolver map of Bandha's own schema: one root field a file.
import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import type { Accounts } from '../accounts/accounts.ts';
import type { ClientInfo } from '../accounts/deps.ts';
import type { IssuedTokens } from '../accounts/sessions.ts';
import type { ResolverContext } from '../context.ts';
import type { FindClientAddress } from '../rate-limits/client-address.ts';
import type { Session } from '../sessions/session.ts';
import type { User } from '../storage/store.ts';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import { findHeader, findIncomingMessage } from '../utils/request-headers.ts';
import { getDescription } from './base-schema.ts';
import { createReadOnce, type OperationInfo, type ReadOnce } from './read-once.ts';
import { requirePrincipal } from './require-principal.ts';

/** With the schema's own name and description: the package's would take their place. */
const dateTime = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: getDescription('DateTime'),
});

export function createResolvers(accounts: Accounts, getClientInfo: GetClientInfo) {
  const readAccount = createReadOnce(({ userId }) => accounts.findUser(userId));
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

// Query.viewer

export const viewer =
  (readAccount: ReadOnce<User | undefined>) =>
  (_: unknown, __: unknown, context: ResolverContext, info: OperationInfo) =>
    readContextPrincipal(context) ? readAccount(context, info) : null;

// Query.secureData

export const secureData =
  (readAccount: ReadOnce<User | undefined>) => (_: unknown, __: unknown, context: ResolverContext) => {
    requirePrincipal(context);
    return {
      message: 'Secure data access granted',
      user: (_args: unknown, own: ResolverContext, info: OperationInfo) => readAccount(own, info),
    };
  };

// Query.sessions

export const sessions =
  (readSessions: ReadOnce<Session[]>) =>
  async (_: unknown, __: unknown, context: ResolverContext, info: OperationInfo) => {
    const { sessionId } = requirePrincipal(context);
    const live = await readSessions(context, info);
    return live.map((session) => ({ ...session, current: session.id === sessionId }));
  };

// Mutation.register

export const register =
  (accounts: Accounts, getClientInfo: GetClientInfo) =>
  async (_: unknown, { email, password }: { email: string; password: string }, context: ResolverContext) =>
    toAuthPayload(await accounts.register({ email, password }, getClientInfo(context)));

// Mutation.login

export const login =
  (accounts: Accounts, getClientInfo: GetClientInfo) =>
  async (_: unknown, { email, password }: { email: string; password: string }, context: ResolverContext) =>
    toAuthPayload(await accounts.logIn({ email, password }, getClientInfo(context)));

// Mutation.refresh

export const refresh =
  (accounts: Accounts) =>
  async (_: unknown, { refreshToken }: { refreshToken: string }) =>
    toAuthPayload(await accounts.refresh(refreshToken));

// Mutation.logout

export const logout =
  (accounts: Accounts) =>
  (_: unknown, { refreshToken }: { refreshToken?: string | null }, context: ResolverContext) =>
    accounts.logOut({ refreshToken: refreshToken ?? undefined, principal: readContextPrincipal(context) });

// Mutation.logoutEverywhere

export const logoutEverywhere = (accounts: Accounts) => (_: unknown, __: unknown, context: ResolverContext) =>
  accounts.revokeAllSessions(requirePrincipal(context).userId);

// Mutation.revokeSession

export const revokeSession =
  (accounts: Accounts) =>
  (_: unknown, { id }: { id: string }, context: ResolverContext) =>
    accounts.revokeSession({ userId: requirePrincipal(context).userId, sessionId: id });

// `AuthPayload` from issued tokens.

export function toAuthPayload(tokens: IssuedTokens) {
  return { ...tokens, tokenType: 'Bearer' };
}

// Where a request comes from, out of what Yoga's context holds.

export type GetClientInfo = (context: ResolverContext) => ClientInfo;

export function createClientInfo(findAddress: FindClientAddress): GetClientInfo {
  return (context) => ({
    userAgent: findHeader(context, 'user-agent'),
    ...findAddress(
      findIncomingMessage(context)?.socket?.remoteAddress,
      findHeader(context, 'x-forwarded-for'),
    ),
  });
}
