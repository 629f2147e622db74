// Looks up the fragments of a GraphQL document by name.
import { type DocumentNode, type FragmentDefinitionNode, Kind } from 'graphql';

/** Fragment definitions by name. */
export type FragmentMap = ReadonlyMap<string, FragmentDefinitionNode>;

export function toFragmentMap({ definitions }: DocumentNode): FragmentMap {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
}
