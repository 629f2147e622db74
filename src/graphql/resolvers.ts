// The resolvers of Bandha's own schema.
import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import type { Accounts } from '../accounts/accounts.ts';
import type { ClientInfo } from '../accounts/deps.ts';
import type { IssuedTokens } from '../accounts/sessions.ts';
import type { ResolverContext } from '../context.ts';
import type { FindClientAddress } from '../rate-limits/client-address.ts';
import type { User } from '../storage/store.ts';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import { findHeader, findIncomingMessage } from '../utils/request-headers.ts';
import { getDescription } from './base-schema.ts';
import { createReadOnce, type OperationInfo, type ReadOnce } from './read-once.ts';
import { requirePrincipal } from './require-principal.ts';

/** Describes the client of a request, for the session list and the rate limits. */
export type GetClientInfo = (context: ResolverContext) => ClientInfo;

export interface ResolverDeps {
  accounts: Accounts;
  getClientInfo: GetClientInfo;
  /** Reads the caller's own account. @default accounts.findUser */
  readAccount?: ReadOnce<User | undefined> | undefined;
  /** Whether the schema has `Query.secureData`. */
  hasSecureData: boolean;
}

type Resolver<Args, Result> = (
  parent: unknown,
  args: Args,
  context: ResolverContext,
  info: OperationInfo,
) => Result;
type NoArgs = Record<string, never>;
type Credentials = { email: string; password: string };

/** With the name and description that schema.graphql has, instead of the package's. */
const dateTime = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: getDescription('DateTime'),
});

export function createResolvers(deps: ResolverDeps) {
  return { DateTime: dateTime, Query: createQueries(deps), Mutation: createMutations(deps) };
}

function createQueries({
  accounts,
  readAccount = createReadOnce(({ userId }) => accounts.findUser(userId)),
  hasSecureData,
}: ResolverDeps) {
  const readSessions = createReadOnce(({ userId }) => accounts.listSessions(userId));
  const viewer: Resolver<NoArgs, Promise<User | undefined> | null> = (_, __, context, info) =>
    readContextPrincipal(context) ? readAccount(context, info) : null;
  const secureData: Resolver<NoArgs, object> = (_, __, context) => {
    requirePrincipal(context);
    return {
      message: 'Secure data access granted',
      user: (_args: unknown, own: ResolverContext, info: OperationInfo) => readAccount(own, info),
    };
  };
  const sessions: Resolver<NoArgs, Promise<object[]>> = async (_, __, context, info) => {
    const { sessionId } = requirePrincipal(context);
    const live = await readSessions(context, info);
    return live.map((session) => ({ ...session, current: session.id === sessionId }));
  };
  return { viewer, sessions, ...(hasSecureData && { secureData }) };
}

function createMutations({ accounts, getClientInfo }: ResolverDeps) {
  const register: Resolver<Credentials, Promise<AuthPayload>> = async (_, { email, password }, context) =>
    toAuthPayload(await accounts.register({ email, password }, getClientInfo(context)));
  const login: Resolver<Credentials, Promise<AuthPayload>> = async (_, { email, password }, context) =>
    toAuthPayload(await accounts.logIn({ email, password }, getClientInfo(context)));
  const refresh: Resolver<{ refreshToken: string }, Promise<AuthPayload>> = async (_, { refreshToken }) =>
    toAuthPayload(await accounts.refresh(refreshToken));
  const logout: Resolver<{ refreshToken?: string | null }, Promise<boolean>> = (_, args, context) =>
    accounts.logOut({
      refreshToken: args.refreshToken ?? undefined,
      principal: readContextPrincipal(context),
    });
  const logoutEverywhere: Resolver<NoArgs, Promise<number>> = (_, __, context) =>
    accounts.revokeAllSessions(requirePrincipal(context).userId);
  const revokeSession: Resolver<{ id: string }, Promise<boolean>> = (_, { id }, context) =>
    accounts.revokeSession({ userId: requirePrincipal(context).userId, sessionId: id });
  return { register, login, refresh, logout, logoutEverywhere, revokeSession };
}

interface AuthPayload extends IssuedTokens {
  tokenType: 'Bearer';
}

function toAuthPayload(tokens: IssuedTokens): AuthPayload {
  return { ...tokens, tokenType: 'Bearer' };
}

/** Reads user agent and address from the request in Yoga's context. */
export function createClientInfo(findAddress: FindClientAddress): GetClientInfo {
  return (context) => ({
    userAgent: findHeader(context, 'user-agent'),
    ...findAddress(
      findIncomingMessage(context)?.socket?.remoteAddress,
      findHeader(context, 'x-forwarded-for'),
    ),
  });
}
