// The account panel: the form for whoever is signed out, who and where for whoever is signed in.
import { Button } from '@graphiql/react';
import { useRef } from 'react';
import type { SignedOutReason } from '../../client/index.ts';
import { useFocusRequest } from '../focus-request.ts';
import { type Account, usePage } from '../page-state.ts';
import { useValue } from '../value.ts';
import { SignInForm } from './sign-in-form.tsx';
import { SignedIn } from './signed-in.tsx';

const ENDED: Readonly<Record<SignedOutReason, string>> = {
  LOGOUT: 'You are signed out.',
  EXPIRED: 'Your session has expired. Sign in again.',
  REUSED: 'Your session has ended, because an old refresh token of it was used. Sign in again.',
  REVOKED: 'Your session has ended elsewhere. Sign in again.',
  UNKNOWN: 'Your session is no longer known here. Sign in again.',
  TOKEN_REVOKED: 'Your session has ended elsewhere. Sign in again.',
};

export function AccountPanel() {
  const {
    account,
    isReauthenticating: isProving,
    panelFocus,
    runFocus,
    denial: refusal,
    markSignedIn: noteSignIn,
  } = usePage();
  const { user, isKnown, signedOutReason: ended } = useValue(account);
  const proves = useValue(isProving) && user !== null;
  const section = useRef<HTMLElement>(null);
  useFocusRequest(panelFocus, () => {
    const find = (selector: string) => section.current?.querySelector<HTMLElement>(selector);
    (find('input:not([readonly])') ?? find('h2'))?.focus();
  });

  function onSignedIn(): void {
    // The user who proves to be the same has not changed.
    if (isProving.get()) noteSignIn();
    isProving.set(false);
    (refusal.get()?.kind === 'sign-in' ? runFocus : panelFocus).request();
  }

  return (
    <section ref={section} className="bandha-panel" aria-labelledby="bandha-account">
      <h2 id="bandha-account" tabIndex={-1}>
        {proves ? 'Sign in again' : user ? 'Signed in' : 'Sign in'}
      </h2>
      <p role="status" className={classOfStatus({ user, isKnown, signedOutReason: ended })}>
        {statusOf({ user, isKnown, signedOutReason: ended })}
      </p>
      {proves && (
        <>
          <SignInForm key="prove" email={user.email} onSignedIn={onSignedIn} />
          <Button type="button" onClick={() => isProving.set(false)}>
            Cancel
          </Button>
        </>
      )}
      {isKnown && user === null && <SignInForm key="anybody" onSignedIn={onSignedIn} />}
      {user !== null && !proves && <SignedIn user={user} />}
    </section>
  );
}

/** Who is signed in stands below already, and is said here for those who only hear. */
function classOfStatus({ user, signedOutReason: ended }: Account): string {
  if (user !== null) return 'bandha-unseen';
  return ended === null || ended === 'LOGOUT' ? 'bandha-quiet' : 'bandha-notice';
}

function statusOf({ user, isKnown, signedOutReason: ended }: Account): string {
  if (!isKnown) return 'Looking for a session in other tabs…';
  if (user !== null) return `You are signed in as ${user.email}.`;
  return ended === null ? '' : ENDED[ended];
}
