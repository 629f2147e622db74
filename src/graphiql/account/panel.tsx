// The account panel: the sign-in form, or the signed-in user and their sessions.
import { Button } from '@graphiql/react';
import { useRef } from 'react';
import type { SignedOutReason } from '../../client/index.ts';
import { useFocusRequest } from '../focus-request.ts';
import { type Account, usePage } from '../page-state.ts';
import { useValue } from '../value.ts';
import { SignInForm } from './sign-in-form.tsx';
import { SignedIn } from './signed-in.tsx';

const SIGNED_OUT_TEXTS: Readonly<Record<SignedOutReason, string>> = {
  LOGOUT: 'You are signed out.',
  EXPIRED: 'Your session has expired. Sign in again.',
  REUSED: 'Your session was revoked because an old refresh token was reused. Sign in again.',
  REVOKED: 'Your session was revoked. Sign in again.',
  UNKNOWN: 'Your session no longer exists. Sign in again.',
  TOKEN_REVOKED: 'Your session was revoked. Sign in again.',
};

export function AccountPanel() {
  const page = usePage();
  const account = useValue(page.account);
  const { user, isKnown } = account;
  const isReauthenticating = useValue(page.isReauthenticating) && user !== null;
  const section = useRef<HTMLElement>(null);
  useFocusRequest(page.panelFocus, () => {
    const find = (selector: string) => section.current?.querySelector<HTMLElement>(selector);
    (find('input:not([readonly])') ?? find('h2'))?.focus();
  });

  function onSignedIn(): void {
    // After reauthentication the user is the same, so the client reports no change.
    if (page.isReauthenticating.get()) page.markSignedIn();
    page.isReauthenticating.set(false);
    (page.denial.get()?.kind === 'sign-in' ? page.runFocus : page.panelFocus).request();
  }

  return (
    <section ref={section} className="bandha-panel" aria-labelledby="bandha-account">
      <h2 id="bandha-account" tabIndex={-1}>
        {isReauthenticating ? 'Sign in again' : user ? 'Signed in' : 'Sign in'}
      </h2>
      <p role="status" className={getStatusClass(account)}>
        {getStatus(account)}
      </p>
      {isReauthenticating && (
        <>
          <SignInForm key="reauthenticate" email={user.email} onSignedIn={onSignedIn} />
          <Button type="button" onClick={() => page.isReauthenticating.set(false)}>
            Cancel
          </Button>
        </>
      )}
      {isKnown && user === null && <SignInForm key="sign-in" onSignedIn={onSignedIn} />}
      {user !== null && !isReauthenticating && <SignedIn user={user} />}
    </section>
  );
}

/** Hides the status of a signed-in user except from screen readers: the panel shows the email below. */
function getStatusClass({ user, signedOutReason }: Account): string {
  if (user !== null) return 'bandha-unseen';
  return signedOutReason === null || signedOutReason === 'LOGOUT' ? 'bandha-quiet' : 'bandha-notice';
}

function getStatus({ user, isKnown, signedOutReason }: Account): string {
  if (!isKnown) return 'Checking other tabs for a session…';
  if (user !== null) return `You are signed in as ${user.email}.`;
  return signedOutReason === null ? '' : SIGNED_OUT_TEXTS[signedOutReason];
}
