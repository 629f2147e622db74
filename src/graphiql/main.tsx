// Entry of the page. The editor's styles load with the editor, after the first paint.
import 'graphiql/setup-workers/vite';
import '@graphiql/react/font/roboto.css';
import '@graphiql/react/font/fira-code.css';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';
import './account/account.css';
import './docs/docs.css';
import './denied/denied.css';
import './responsive.css';
import { createRoot } from 'react-dom/client';
import { createAuthClient } from '../client/index.ts';
import { createStaySignedIn } from './account/stay-signed-in.ts';
import { Page } from './page.tsx';
import { createPageState } from './page-state.ts';
import { SECURE_DATA_QUERY, VIEWER_QUERY } from './starter-query.ts';

/** A setting that the server puts into the page. */
const getSetting = (name: string) =>
  document.querySelector(`meta[name="bandha-${name}"]`)?.getAttribute('content');

const url = new URL(location.pathname, location.href);
const parameters = new URLSearchParams(location.search);
// Removes the query from the address: a reload keeps the user's edits, and the browser history has no variables.
if (location.search !== '') history.replaceState(null, '', location.pathname);

const stay = createStaySignedIn();
const client = createAuthClient({ url, storage: stay.storage });
const root = document.getElementById('root');
if (root === null) throw new Error('index.html: element #root is missing');
createRoot(root).render(
  <Page
    state={createPageState({ client, url, stay, canRegister: getSetting('sign-up') !== 'closed' })}
    starterQuery={getSetting('starter-query') === 'viewer' ? VIEWER_QUERY : SECURE_DATA_QUERY}
    query={parameters.get('query') ?? undefined}
    variables={parameters.get('variables') ?? undefined}
    isFirstVisit={!hasVisited()}
  />,
);

/** Whether GraphiQL has stored its tabs before. */
function hasVisited(): boolean {
  try {
    return localStorage.getItem('graphiql:tabState') !== null;
  } catch {
    return false; // storage is blocked by the browser
  }
}
