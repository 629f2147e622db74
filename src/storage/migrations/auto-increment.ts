// A column that the database counts, in the words of each.
import type { ColumnDefinitionBuilder } from 'kysely';
import type { DatabaseKind } from '../engine.ts';

/** The type and the definition of a primary key that counts upwards: `addColumn('id', ...counted(kind))`. */
export function autoIncrement(
  kind: DatabaseKind,
): ['integer' | 'bigint', (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder] {
  return kind === 'sqlite'
    ? ['integer', (column) => column.primaryKey().autoIncrement()]
    : ['bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity()];
}
