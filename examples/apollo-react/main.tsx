// Shows the app once it is known whether another tab is signed in.
import '../style.css'; // by the script: the dev server serves no path above the page's own
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
