// Adding and removing roles of an account, by email.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { newUser } from '../../integration/storage/store-contract.ts';

const NOW = new Date('2026-01-31T12:00:00Z');

let store: Store;
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
  await store.createUser(
    newUser({ email: 'Ada@Example.com', emailKey: 'ada@example.com', roles: ['editor'] }),
  );
});
afterEach(() => store.close());

const change = (email: string, roles: { add?: string[]; remove?: string[] }) =>
  changeRoles({ store, now: () => NOW }, email, roles);

describe('changeRoles', () => {
  it.each<[string, { add?: string[]; remove?: string[] }, string[]]>([
    ['adds a role', { add: ['admin'] }, ['editor', 'admin']],
    ['adds several roles, each once', { add: ['admin', 'admin', 'editor'] }, ['editor', 'admin']],
    ['removes a role', { remove: ['editor'] }, []],
    ['adds and removes in one call', { add: ['admin'], remove: ['editor'] }, ['admin']],
  ])('%s, in whatever case the email is given', async (_, roles, expected) => {
    const changed = await change(' ADA@example.COM ', roles);
    expect(changed).toMatchObject({ changed: true, user: { email: 'Ada@Example.com', roles: expected } });
    expect((await store.findUserByEmail('ada@example.com'))?.user.roles).toEqual(expected);
  });

  it.each([{ add: ['editor'] }, { remove: ['admin'] }, {}])(
    'reports that nothing changed: %o',
    async (roles) => {
      expect(await change('ada@example.com', roles)).toMatchObject({
        changed: false,
        user: { roles: ['editor'] },
      });
    },
  );

  it.each(['unknown@example.com', 'not an email', ''])(
    'returns undefined for the email "%s", which no account has',
    async (email) => {
      expect(await change(email, { add: ['admin'] })).toBeUndefined();
      expect((await store.findUserByEmail('ada@example.com'))?.user.roles).toEqual(['editor']);
    },
  );
});
