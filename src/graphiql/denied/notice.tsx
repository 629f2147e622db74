// The notice above the response: why it was denied, and a button to continue.
import { Button, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { openAccountPanel } from '../account/plugin.tsx';
import type { RequirementsByField } from '../docs/requirements.ts';
import { useFocusRequest } from '../focus-request.ts';
import { usePage } from '../page-state.ts';
import { useValue } from '../value.ts';
import { type Denial, toFieldName } from './find-denial.ts';

export function DenialNotice() {
  const page = usePage();
  const denial = useValue(page.denial);
  const { user } = useValue(page.account);
  const { run } = useGraphiQLActions();
  const runButton = useRef<HTMLButtonElement>(null);
  const text = describe(denial, user?.roles ?? [], useValue(page.requirements.byField));
  const resolved = useValue(page.resolvedDenial);
  const box = useRef<HTMLDivElement>(null);
  useFocusRequest(page.runFocus, () => runButton.current?.focus());
  // On a small screen the notice may be out of view.
  useEffect(() => {
    if (denial !== null) box.current?.scrollIntoView({ block: 'nearest' });
  }, [denial]);
  const isResolved = denial?.kind === 'sign-in' && user !== null && resolved === denial;

  function signIn(): void {
    // A signed-in user needs the form too, for example if the server has replaced its signing keys.
    page.isReauthenticating.set(user !== null);
    openAccountPanel(page);
  }

  async function tryAgain(): Promise<void> {
    await run();
    if (page.denial.get()?.kind === 'failed') page.runFocus.request(); // the button was replaced by a new one
  }

  return (
    <div ref={box} role="status" className="bandha-denial">
      {denial !== null && (
        <div className="bandha-notice">
          <p>{isResolved ? `You are signed in as ${user.email}.` : text}</p>
          {isResolved && (
            <Button ref={runButton} type="button" className="bandha-primary" onClick={() => void run()}>
              Run again
            </Button>
          )}
          {denial.kind === 'failed' && (
            <Button ref={runButton} type="button" className="bandha-primary" onClick={() => void tryAgain()}>
              Try again
            </Button>
          )}
          {!isResolved && denial.kind === 'sign-in' && !denial.hasOwnToken && (
            <Button type="button" className="bandha-primary" onClick={signIn}>
              Sign in
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** Describes a denial. For a missing role, names the roles that are sufficient, if the page knows them, and the caller's. */
function describe(denial: Denial | null, roles: readonly string[], byField: RequirementsByField): string {
  if (denial === null) return '';
  if (denial.hasOwnToken) return `${denial.text} It was sent with the token of the Headers tab.`;
  if (denial.lacksRoleFor === undefined) return denial.text;
  const missing = (byField[denial.lacksRoleFor] ?? []).flatMap((rule) =>
    rule.roles && !rule.roles.some((role) => roles.includes(role)) ? [rule.roles.join(' or ')] : [],
  );
  const text =
    missing.length === 0
      ? denial.text
      : `${toFieldName(denial.lacksRoleFor)} requires the role ${missing.join(', and ')}.`;
  return `${text} You have ${formatRoles(roles)}.`;
}

function formatRoles(roles: readonly string[]): string {
  if (roles.length === 0) return 'no roles';
  return `the ${roles.length === 1 ? 'role' : 'roles'} ${roles.join(', ')}`;
}
