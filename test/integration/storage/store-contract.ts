// The contract of src/storage/store.ts, as a suite that runs on every database.
import { describeFeedEvents } from './contract/feed-events.ts';
import { createFixture, type TestDatabase } from './contract/fixture.ts';
import { describeKnownNetworks } from './contract/known-networks.ts';
import { describeLifecycle } from './contract/lifecycle.ts';
import { describeMaintenance } from './contract/maintenance.ts';
import { describeRotation } from './contract/rotation.ts';
import { describeSessions } from './contract/sessions.ts';
import { describeSigningKeys } from './contract/signing-keys.ts';
import { describeUsers } from './contract/users.ts';

export { newSession, newUser, type TestDatabase } from './contract/fixture.ts';

const PARTS = [
  describeUsers,
  describeSessions,
  describeRotation,
  describeFeedEvents,
  describeSigningKeys,
  describeMaintenance,
  describeKnownNetworks,
  describeLifecycle,
];

/** Runs the whole contract on databases that `createDatabase` creates. */
export function describeStore(name: string, createDatabase: () => Promise<TestDatabase>): void {
  const fixture = createFixture(createDatabase);
  for (const describePart of PARTS) describePart(name, fixture);
}
