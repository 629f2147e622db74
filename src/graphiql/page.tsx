// GraphiQL with signing in.
import { DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history';
import { GraphiQLProvider, useGraphiQLActions } from '@graphiql/react';
import type { Storage } from '@graphiql/toolkit';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { useEffect, useMemo } from 'react';
import { ACCOUNT_PLUGIN } from './account/plugin.tsx';
import { createFetcher } from './create-fetcher.ts';
import { createStorage } from './create-storage.ts';
import { findDenial } from './denied/find-denial.ts';
import { DenialNotice } from './denied/notice.tsx';
import { DOCS_PLUGIN } from './docs/explorer.tsx';
import { Header } from './header.tsx';
import { PageProvider, type PageState, usePage } from './page-state.ts';
import { useValue } from './value.ts';

const PLUGINS = [ACCOUNT_PLUGIN, DOCS_PLUGIN, HISTORY_PLUGIN];

export interface PageProps {
  state: PageState;
  /** The query in a new editor. */
  starterQuery: string;
  /** Query of the page's address: shown, but never run automatically. */
  query: string | undefined;
  variables: string | undefined;
  /** Whether to open the account panel at the start. */
  isFirstVisit: boolean;
}

export function Page({ state, starterQuery, query, variables, isFirstVisit }: PageProps) {
  const fetcher = useMemo(
    () =>
      createFetcher({
        client: state.client,
        onRequest: () => state.denial.set(null),
        onResponse: (response, hasOwnToken) => state.denial.set(findDenial(response, hasOwnToken)),
        onFailed: (text) =>
          state.denial.set({ kind: 'failed', text, lacksRoleFor: undefined, hasOwnToken: false }),
      }),
    [state],
  );
  const storage = useMemo(createStorage, []) as Storage; // null: no storage, which GraphiQL accepts although its type does not
  return (
    <PageProvider value={state}>
      <GraphiQLProvider
        fetcher={fetcher}
        storage={storage}
        plugins={PLUGINS}
        referencePlugin={DOCS_PLUGIN}
        visiblePlugin={isFirstVisit ? ACCOUNT_PLUGIN : undefined}
        defaultQuery={starterQuery}
        initialQuery={query}
        initialVariables={variables}
      >
        <HistoryStore>
          <DocExplorerStore>
            <GraphiQLInterface showPersistHeadersSettings={false}>
              <GraphiQL.Logo>
                <Header />
              </GraphiQL.Logo>
              <GraphiQL.Footer>
                <DenialNotice />
              </GraphiQL.Footer>
            </GraphiQLInterface>
            <SchemaReloader />
          </DocExplorerStore>
        </HistoryStore>
      </GraphiQLProvider>
    </PageProvider>
  );
}

/** Reloads schema and requirements when the caller changes: each caller sees only permitted fields. */
function SchemaReloader() {
  const { identityVersion, requirements } = usePage();
  const { introspect } = useGraphiQLActions();
  const version = useValue(identityVersion);
  useEffect(() => {
    void requirements.load();
    if (version > 0) void introspect(); // GraphiQL loads the first schema itself
  }, [version, introspect, requirements]);
  return null;
}
