// Shows the app once it is known whether another tab is signed in.
import '../style.css'; // by the script: the dev server serves no path above the page's own
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { auth } from './auth.ts';

await auth.ready;
createRoot(document.getElementById('root') ?? document.body).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
