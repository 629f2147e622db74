// Documentation of an object or interface type: its fields with their requirements.
import {
  Argument,
  DeprecationReason,
  ExplorerSection,
  FieldLink,
  TypeLink,
} from '@graphiql/plugin-doc-explorer';
import { MarkdownContent, useGraphiQL } from '@graphiql/react';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  isInterfaceType,
} from 'graphql';
import { Badges } from './badges.tsx';

export function FieldsDocumentation({ type }: { type: GraphQLObjectType | GraphQLInterfaceType }) {
  const schema = useGraphiQL((state) => state.schema);
  const fields = Object.values(type.getFields());
  const current = fields.filter(({ deprecationReason }) => !deprecationReason);
  const deprecated = fields.filter(({ deprecationReason }) => deprecationReason);
  const interfaces = type.getInterfaces();
  const objects = schema && isInterfaceType(type) ? schema.getPossibleTypes(type) : [];
  return (
    <>
      {type.description && <MarkdownContent type="description">{type.description}</MarkdownContent>}
      {interfaces.length > 0 && <TypeSection title="Implements" types={interfaces} />}
      {current.length > 0 && <FieldSection title="Fields" fields={current} />}
      {deprecated.length > 0 && <FieldSection title="Deprecated Fields" fields={deprecated} />}
      {objects.length > 0 && <TypeSection title="Implementations" types={objects} />}
    </>
  );
}

interface TypeSectionProps {
  title: 'Implements' | 'Implementations';
  types: readonly (GraphQLObjectType | GraphQLInterfaceType)[];
}

function TypeSection({ title, types }: TypeSectionProps) {
  return (
    <ExplorerSection title={title}>
      {types.map((type) => (
        <div key={type.name}>
          <TypeLink type={type} />
        </div>
      ))}
    </ExplorerSection>
  );
}

interface FieldSectionProps {
  title: 'Fields' | 'Deprecated Fields';
  fields: readonly GraphQLField[];
}

function FieldSection({ title, fields }: FieldSectionProps) {
  return (
    <ExplorerSection title={title}>
      {fields.map((field) => (
        <div key={field.name} className="graphiql-doc-explorer-item">
          <div>
            <FieldLink field={field} />
            <Arguments field={field} />: <TypeLink type={field.type} /> <Badges coordinate={String(field)} />
          </div>
          {field.description && (
            <MarkdownContent type="description" onlyShowFirstChild>
              {field.description}
            </MarkdownContent>
          )}
          <DeprecationReason>{field.deprecationReason}</DeprecationReason>
        </div>
      ))}
    </ExplorerSection>
  );
}

function Arguments({ field }: { field: GraphQLField }) {
  const args = field.args.filter(({ deprecationReason }) => !deprecationReason);
  if (args.length === 0) return null;
  return (
    <>
      (
      {args.map((arg) => (
        <div
          key={arg.name}
          className={args.length > 1 ? 'graphiql-doc-explorer-argument-multiple' : 'bandha-inline'}
        >
          <Argument arg={arg} inline />
        </div>
      ))}
      )
    </>
  );
}
