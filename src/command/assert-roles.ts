// Roles as somebody types them, or a script whose variable turned out empty.
import { assertRolesFit } from '../storage/roles.ts';
import { UsageError } from './terminal.ts';

/** @throws UsageError where one is empty */
export function assertRoles(roles: readonly string[]): void {
  assertRolesFit(roles);
  if (roles.some((role) => role.trim() === '')) throw new UsageError('A role must not be empty.');
}
