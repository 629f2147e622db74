// Renders the app after the client has checked other tabs for a session.
import '../style.css'; // imported here, because the dev server serves no path above the page's folder
import { ApolloProvider } from '@apollo/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { apollo } from './apollo.ts';
import { App } from './app.tsx';
import { auth } from './auth.ts';

await auth.ready;
createRoot(document.getElementById('root') ?? document.body).render(
  <StrictMode>
    <ApolloProvider client={apollo}>
      <App />
    </ApolloProvider>
  </StrictMode>,
);
