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
import { STARTER_QUERY } from './starter-query.ts';
import { useValue } from './value.ts';

const PLUGINS = [ACCOUNT_PLUGIN, DOCS_PLUGIN, HISTORY_PLUGIN];

export interface PageProps {
  state: PageState;
  /** What the page's address asks to be shown; it is never run by itself. */
  query: string | undefined;
  variables: string | undefined;
  /** Whether the panel is open from the start. */
  isFirstVisit: boolean;
}

export function Page({ state, query, variables, isFirstVisit }: PageProps) {
  const fetcher = useMemo(
    () =>
      createFetcher({
        client: state.client,
        onRequest: () => state.denial.set(null),
        onResponse: (sent, hasOwnToken) => state.denial.set(findDenial(sent, hasOwnToken)),
        onFailed: (text) =>
          state.denial.set({ kind: 'failed', text, lacksRoleFor: undefined, hasOwnToken: false }),
      }),
    [state],
  );
  const storage = useMemo(createStorage, []) as Storage; // null is for none, which GraphiQL's type does not say
  return (
    <PageProvider value={state}>
      <GraphiQLProvider
        fetcher={fetcher}
        storage={storage}
        plugins={PLUGINS}
        referencePlugin={DOCS_PLUGIN}
        visiblePlugin={isFirstVisit ? ACCOUNT_PLUGIN : undefined}
        defaultQuery={STARTER_QUERY}
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
            <SchemaOfCaller />
          </DocExplorerStore>
        </HistoryStore>
      </GraphiQLProvider>
    </PageProvider>
  );
}

/** Callers see what they may use, so whoever comes or goes changes the schema. */
function SchemaOfCaller() {
  const { identityVersion: changes, requirements } = usePage();
  const { introspect } = useGraphiQLActions();
  const count = useValue(changes);
  useEffect(() => {
    void requirements.load();
    if (count > 0) void introspect(); // GraphiQL asks by itself at first
  }, [count, introspect, requirements]);
  return null;
}
