// An application's own `secureData`, for servers with typeDefs: their schema does not have Bandha's.
import { type BandhaContext, requirePrincipal } from '../../src/index.ts';

export const secureDataTypeDefs = /* GraphQL */ `
  extend type Query { secureData: SecureData @auth }
  type SecureData { message: String!  user: User! }
`;

/** @param findUser reads the caller's account; by default an account is made up */
export function createSecureDataResolvers(
  findUser: (userId: string) => unknown = (id) => ({
    id,
    email: `${id}@example.com`,
    roles: [],
    createdAt: new Date(0),
  }),
) {
  return {
    Query: { secureData: () => ({ message: 'Secure data access granted' }) },
    SecureData: {
      user: (_: unknown, __: unknown, context: BandhaContext) => findUser(requirePrincipal(context).userId),
    },
  };
}
