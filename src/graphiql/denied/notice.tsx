// Above the response: why it was refused, and what helps.
import { Button, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { openAccountPanel } from '../account/plugin.tsx';
import type { RequirementsByField } from '../docs/requirements.ts';
import { useFocusRequest } from '../focus-request.ts';
import { usePage } from '../page-state.ts';
import { useValue } from '../value.ts';
import { type Denial, toPlace } from './find-denial.ts';

export function DenialNotice() {
  const page = usePage();
  const refusal = useValue(page.denial);
  const { user } = useValue(page.account);
  const { run } = useGraphiQLActions();
  const runButton = useRef<HTMLButtonElement>(null);
  const text = describe(refusal, user?.roles ?? [], useValue(page.requirements.known));
  const mended = useValue(page.resolvedDenial);
  const box = useRef<HTMLDivElement>(null);
  useFocusRequest(page.runFocus, () => runButton.current?.focus());
  // On a small screen it may be out of sight.
  useEffect(() => {
    if (refusal !== null) box.current?.scrollIntoView({ block: 'nearest' });
  }, [refusal]);
  const isResolved = refusal?.kind === 'sign-in' && user !== null && mended === refusal;

  function signIn(): void {
    // Whoever is signed in and refused all the same, as by a server with other keys, needs the form as well.
    page.isReauthenticating.set(user !== null);
    openAccountPanel(page);
  }

  async function tryAgain(): Promise<void> {
    await run();
    if (page.denial.get()?.kind === 'failed') page.runFocus.request(); // the button is a new one
  }

  return (
    <div ref={box} role="status" className="bandha-refusal">
      {refusal !== null && (
        <div className="bandha-notice">
          <p>{isResolved ? `You are signed in as ${user.email}.` : text}</p>
          {isResolved && (
            <Button ref={runButton} type="button" className="bandha-primary" onClick={() => void run()}>
              Run again
            </Button>
          )}
          {refusal.kind === 'failed' && (
            <Button ref={runButton} type="button" className="bandha-primary" onClick={() => void tryAgain()}>
              Try again
            </Button>
          )}
          {!isResolved && refusal.kind === 'sign-in' && !refusal.hasOwnToken && (
            <Button type="button" className="bandha-primary" onClick={signIn}>
              Sign in
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** The denial in words; of a missing role, with those that help, if the page knows them, and those that the caller has. */
function describe(refusal: Denial | null, roles: readonly string[], known: RequirementsByField): string {
  if (refusal === null) return '';
  if (refusal.hasOwnToken) return `${refusal.text} The token is the one in the Headers pane.`;
  if (refusal.lacksRoleFor === undefined) return refusal.text;
  const missing = (known[refusal.lacksRoleFor] ?? []).flatMap((rule) =>
    rule.roles && !rule.roles.some((role) => roles.includes(role)) ? [rule.roles.join(' or ')] : [],
  );
  const text =
    missing.length === 0
      ? refusal.text
      : `${toPlace(refusal.lacksRoleFor)} needs the role ${missing.join(', and ')}.`;
  return `${text} You have ${nameRoles(roles)}.`;
}

function nameRoles(roles: readonly string[]): string {
  if (roles.length === 0) return 'no roles';
  return `the ${roles.length === 1 ? 'role' : 'roles'} ${roles.join(', ')}`;
}
