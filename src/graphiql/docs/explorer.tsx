// The documentation explorer with requirements: GraphiQL's own parts, with another list of fields.
import {
  FieldDocumentation,
  SchemaDocumentation,
  Search,
  TypeDocumentation,
  useDocExplorer,
  useDocExplorerActions,
} from '@graphiql/plugin-doc-explorer';
import {
  Button,
  ChevronLeftIcon,
  DocsFilledIcon,
  DocsIcon,
  type GraphiQLPlugin,
  pick,
  Spinner,
  useGraphiQL,
  useGraphiQLActions,
} from '@graphiql/react';
import { isField, isInterfaceType, isObjectType, isType } from 'graphql';
import { usePage } from '../page-state.ts';
import { useValue } from '../value.ts';
import { Badges } from './badges.tsx';
import { FieldsDocumentation } from './fields-documentation.tsx';

function Explorer() {
  const stack = useDocExplorer();
  const { pop } = useDocExplorerActions();
  const previous = stack.at(-2)?.name;
  const name = stack.at(-1)?.name ?? '';
  return (
    <section className="graphiql-doc-explorer" aria-label="Documentation Explorer">
      <div className="graphiql-doc-explorer-header">
        <div className="graphiql-doc-explorer-header-content">
          {previous !== undefined && (
            <button
              type="button"
              className="graphiql-un-styled graphiql-doc-explorer-back"
              aria-label={`Go back to ${previous}`}
              onClick={pop}
            >
              <ChevronLeftIcon aria-hidden="true" />
              {previous}
            </button>
          )}
          <h2 className="graphiql-doc-explorer-title">{name}</h2>
        </div>
        <Search key={name} />
      </div>
      <div className="graphiql-doc-explorer-content">
        <RequirementsFailure />
        <Content />
      </div>
    </section>
  );
}

/** Reports that badges are missing, because a field without badges looks public. */
function RequirementsFailure() {
  const { requirements } = usePage();
  if (!useValue(requirements.hasFailed)) return null;
  return <Failure text="The access rules could not be loaded." onTryAgain={() => void requirements.load()} />;
}

function Failure({ text, onTryAgain }: { text: string; onTryAgain(): void }) {
  return (
    <div role="alert" className="bandha-notice bandha-failure">
      <p>{text}</p>
      <Button type="button" onClick={onTryAgain}>
        Try again
      </Button>
    </div>
  );
}

function Content() {
  const { introspect } = useGraphiQLActions();
  const { fetchError, isIntrospecting, schema, validationErrors } = useGraphiQL(
    pick('fetchError', 'isIntrospecting', 'schema', 'validationErrors'),
  );
  const def = useDocExplorer().at(-1)?.def;
  if (fetchError) {
    return <Failure text="The schema could not be loaded." onTryAgain={() => void introspect()} />;
  }
  if (validationErrors[0]) {
    return (
      <p className="graphiql-doc-explorer-error">The schema is invalid: {validationErrors[0].message}</p>
    );
  }
  if (isIntrospecting && !schema) return <Spinner />;
  if (!schema) return <p className="graphiql-doc-explorer-error">No schema is available.</p>;
  if (def === undefined) return <SchemaDocumentation schema={schema} />;
  if (isObjectType(def) || isInterfaceType(def)) return <FieldsDocumentation type={def} />;
  if (isType(def)) return <TypeDocumentation type={def} />;
  return (
    <>
      {isField(def) && (
        <p className="bandha-requirement">
          <Badges coordinate={String(def)} />
        </p>
      )}
      <FieldDocumentation field={def} />
    </>
  );
}

/** GraphiQL's search shortcut finds the plugin by this title. */
export const DOCS_PLUGIN: GraphiQLPlugin = {
  title: 'Documentation Explorer',
  icon: function Icon() {
    const isOpen = useGraphiQL(({ visiblePlugin }) => visiblePlugin === DOCS_PLUGIN);
    return isOpen ? <DocsFilledIcon aria-hidden="true" /> : <DocsIcon aria-hidden="true" />;
  },
  content: Explorer,
};
