// Giving roles and taking them away, by the account's email.
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

describe('changing roles', () => {
  it.each<[string, { add?: string[]; remove?: string[] }, string[]]>([
    ['gives one', { add: ['admin'] }, ['editor', 'admin']],
    ['gives several, each once', { add: ['admin', 'admin', 'editor'] }, ['editor', 'admin']],
    ['takes one away', { remove: ['editor'] }, []],
    ['does both', { add: ['admin'], remove: ['editor'] }, ['admin']],
  ])('%s, however the email is spelt', async (_, roles, expected) => {
    const changed = await change(' ADA@example.COM ', roles);
    expect(changed).toMatchObject({ changed: true, user: { email: 'Ada@Example.com', roles: expected } });
    expect((await store.findUserByEmail('ada@example.com'))?.user.roles).toEqual(expected);
  });

  it.each([{ add: ['editor'] }, { remove: ['admin'] }, {}])(
    'says where nothing changes: %o',
    async (roles) => {
      expect(await change('ada@example.com', roles)).toMatchObject({
        changed: false,
        user: { roles: ['editor'] },
      });
    },
  );

  it.each(['nobody@example.com', 'not an email', ''])('finds no account for "%s"', async (email) => {
    expect(await change(email, { add: ['admin'] })).toBeUndefined();
    expect((await store.findUserByEmail('ada@example.com'))?.user.roles).toEqual(['editor']);
  });
});
