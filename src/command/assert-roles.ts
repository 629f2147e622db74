// Roles as somebody types them, or a script whose variable turned out empty.
import { UsageError } from './terminal.ts';

/** @throws UsageError where one is empty */
export function assertRoles(roles: readonly string[]): void {
  if (roles.some((role) => role.trim() === '')) throw new UsageError('A role must not be empty.');
}
