// The page: a form for whoever is signed out, account and sessions for whoever is signed in.
import type { SignedOutReason } from 'bandha/client';
import { useEffect, useRef, useState } from 'react';
import { Provider } from 'urql';
import { Account } from './account.tsx';
import { auth, useSignedOutReason, useUser } from './auth.ts';
import { Sessions } from './sessions.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { createUrqlClient } from './urql.ts';

const SIGNED_OUT: Record<SignedOutReason, string> = {
  LOGOUT: 'You are signed out.',
  EXPIRED: 'Your session has expired. Sign in again.',
  REUSED: 'Your session was ended because an old token of it was used. Sign in again.',
  REVOKED: 'Your session was ended elsewhere. Sign in again.',
  UNKNOWN: 'Your session is not known any more. Sign in again.',
  TOKEN_REVOKED: 'Your session was ended elsewhere. Sign in again.',
};

export function App() {
  const user = useUser();
  const reason = useSignedOutReason();
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(user?.id);
  useEffect(() => {
    if (shown.current !== user?.id) heading.current?.focus(); // what had the focus is gone
    shown.current = user?.id;
  }, [user?.id]);
  const status = reason === undefined ? 'You are not signed in.' : SIGNED_OUT[reason];
  return (
    <main>
      <header>
        <h1 ref={heading} tabIndex={-1}>
          Bandha with urql
        </h1>
        {user && (
          <button type="button" onClick={() => void auth.logout()}>
            Sign out
          </button>
        )}
      </header>
      <p role="status">{user ? `You are signed in as ${user.email}.` : status}</p>
      {user ? <SignedIn key={user.id} /> : <SignInForm />}
    </main>
  );
}

/** Another user is another `key`, and so has a client and a cache of their own. */
function SignedIn() {
  const [urql] = useState(createUrqlClient);
  return (
    <Provider value={urql}>
      <Account />
      <Sessions />
    </Provider>
  );
}
