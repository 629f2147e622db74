// Where the page begins. The editor's own styles come with the editor, after the first paint.
import 'graphiql/setup-workers/vite';
import '@graphiql/react/font/roboto.css';
import '@graphiql/react/font/fira-code.css';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';
import { createRoot } from 'react-dom/client';
import { createAuthClient } from '../client/index.ts';
import { createStaySignedIn } from './account/stay-signed-in.ts';
import { Page } from './page.tsx';
import { createPageState } from './page-state.ts';

const SIGN_UP = document.querySelector('meta[name="bandha-sign-up"]');

const url = new URL(location.pathname, location.href);
const asked = new URLSearchParams(location.search);
// Out of the address once it is read: reloading keeps what was written since, and nothing stays in the history.
if (location.search !== '') history.replaceState(null, '', location.pathname);

const stay = createStaySignedIn();
const client = createAuthClient({ url, storage: stay.storage });
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has an element for the page');
createRoot(root).render(
  <Page
    state={createPageState({ client, url, stay, canRegister: SIGN_UP?.getAttribute('content') !== 'closed' })}
    query={asked.get('query') ?? undefined}
    variables={asked.get('variables') ?? undefined}
    isFirstVisit={!hasVisited()}
  />,
);

/** GraphiQL stores what is in its tabs. */
function hasVisited(): boolean {
  try {
    return localStorage.getItem('graphiql:tabState') !== null;
  } catch {
    return false; // storage is forbidden here
  }
}
