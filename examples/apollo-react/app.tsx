// The page: a sign-in form, or account and sessions of the signed-in user.
import type { SignedOutReason } from 'bandha/client';
import { useEffect, useRef } from 'react';
import { Account } from './account.tsx';
import { auth, useSignedOutReason, useUser } from './auth.ts';
import { Sessions } from './sessions.tsx';
import { SignInForm } from './sign-in-form.tsx';

const SIGNED_OUT: Record<SignedOutReason, string> = {
  LOGOUT: 'You are signed out.',
  EXPIRED: 'Your session has expired. Sign in again.',
  REUSED: 'Your session was revoked because an old refresh token was reused. Sign in again.',
  REVOKED: 'Your session was revoked. Sign in again.',
  UNKNOWN: 'Your session no longer exists. Sign in again.',
  TOKEN_REVOKED: 'Your session was revoked. Sign in again.',
};

export function App() {
  const user = useUser();
  const reason = useSignedOutReason();
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(user?.id);
  useEffect(() => {
    if (shown.current !== user?.id) heading.current?.focus(); // the focused element was removed
    shown.current = user?.id;
  }, [user?.id]);
  const status = reason === undefined ? 'You are not signed in.' : SIGNED_OUT[reason];
  return (
    <main>
      <header>
        <h1 ref={heading} tabIndex={-1}>
          Bandha with Apollo Client
        </h1>
        {user && (
          <button type="button" onClick={() => void auth.logout()}>
            Sign out
          </button>
        )}
      </header>
      <p role="status">{user ? `You are signed in as ${user.email}.` : status}</p>
      {user ? (
        // The key resets all queries when the user changes.
        <div key={user.id}>
          <Account />
          <Sessions />
        </div>
      ) : (
        <SignInForm />
      )}
    </main>
  );
}
