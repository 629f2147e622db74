// Access to each field of Bandha's own schema; a field that becomes public by mistake shows here.
import { expect, it } from 'vitest';
import { createTestKit } from '../../../src/testing/index.ts';

const OWN = createTestKit({});
const CLOSED = createTestKit({}, { defaultAccess: 'deny' });
const principals = { anonymous: null, anyone: {} };

/** The fields of the table that are denied to some caller. */
const findDenied = (table: string) =>
  table
    .split('\n')
    .slice(2)
    .filter((line) => /[A-Z]_/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim())[1]);

it('only fields with data of the caller require a signed-in caller', () => {
  const table = OWN.fieldMatrix(principals);
  expect(findDenied(table)).toEqual([
    'Query.secureData',
    'Query.sessions',
    'Mutation.logoutEverywhere',
    'Mutation.revokeSession',
  ]);
  expect(table).not.toContain('depends');
});

it('defaultAccess deny leaves sign-in and its result public', () => {
  const denied = findDenied(CLOSED.fieldMatrix(principals));
  expect(denied).not.toContain('Query.viewer');
  expect(denied.filter((coordinate) => /^(User|AuthPayload)\./.test(coordinate ?? ''))).toEqual([]);
  expect(denied.filter((coordinate) => coordinate?.startsWith('Mutation.'))).toEqual([
    'Mutation.logoutEverywhere',
    'Mutation.revokeSession',
  ]);
});

it('each operation is allowed or denied as documented', async () => {
  const tokens = '{ accessToken refreshToken user { id email roles createdAt } }';
  const operations = {
    viewer: '{ viewer { id email roles createdAt } }',
    secureData: '{ secureData { message user { id } } }',
    sessions: '{ sessions { id current } }',
    register: `mutation { register(email: "a", password: "b") ${tokens} }`,
    login: `mutation { login(email: "a", password: "b") ${tokens} }`,
    refresh: `mutation { refresh(refreshToken: "a") ${tokens} }`,
    logout: 'mutation { logout }',
    logoutEverywhere: 'mutation { logoutEverywhere }',
    revokeSession: 'mutation { revokeSession(id: "a") }',
  };
  const all = { ...principals, expired: OWN.withToken('expired') };
  expect(await OWN.matrix(operations, all)).toMatchInlineSnapshot(`
    "| operation        | anonymous     | anyone  | expired       |
    | ---------------- | ------------- | ------- | ------------- |
    | viewer           | allowed       | allowed | allowed       |
    | secureData       | MISSING_TOKEN | allowed | TOKEN_EXPIRED |
    | sessions         | MISSING_TOKEN | allowed | TOKEN_EXPIRED |
    | register         | allowed       | allowed | allowed       |
    | login            | allowed       | allowed | allowed       |
    | refresh          | allowed       | allowed | allowed       |
    | logout           | allowed       | allowed | allowed       |
    | logoutEverywhere | MISSING_TOKEN | allowed | TOKEN_EXPIRED |
    | revokeSession    | MISSING_TOKEN | allowed | TOKEN_EXPIRED |"
  `);
  const closed = { ...principals, expired: CLOSED.withToken('expired') };
  expect(await CLOSED.matrix(operations, closed)).toBe(await OWN.matrix(operations, all));
});
