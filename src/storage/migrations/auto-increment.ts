// Defines an auto-increment primary key in the dialect of each database.
import type { ColumnDefinitionBuilder } from 'kysely';
import type { DatabaseKind } from '../engine.ts';

/** @returns type and definition of the column: `addColumn('id', ...autoIncrement(kind))` */
export function autoIncrement(
  kind: DatabaseKind,
): ['integer' | 'bigint', (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder] {
  return kind === 'sqlite'
    ? ['integer', (column) => column.primaryKey().autoIncrement()]
    : ['bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity()];
}
