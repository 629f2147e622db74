// Shows the signed-in user with roles and sessions.
import { Button } from '@graphiql/react';
import { useState } from 'react';
import type { User } from '../../client/index.ts';
import { usePage } from '../page-state.ts';
import { SessionList } from './session-list.tsx';
import { revokeAllSessions } from './sessions.ts';

type Scope = 'here' | 'everywhere';

export function SignedIn({ user }: { user: User }) {
  const { client, panelFocus } = usePage();
  const [signingOut, setSigningOut] = useState<Scope>();
  const [errorText, setErrorText] = useState('');

  async function signOut(scope: Scope): Promise<void> {
    if (signingOut !== undefined) return;
    setSigningOut(scope);
    setErrorText('');
    try {
      await (scope === 'here' ? client.logout() : revokeAllSessions(client));
      panelFocus.request();
    } catch {
      setErrorText('The sessions could not be revoked. Try again.');
      setSigningOut(undefined);
    }
  }

  return (
    <>
      <dl className="bandha-facts">
        <dt>Email</dt>
        <dd>{user.email}</dd>
        <dt>Roles</dt>
        <dd>
          {user.roles.length === 0
            ? 'none'
            : user.roles.map((role) => (
                <span key={role} className="bandha-badge">
                  {role}
                </span>
              ))}
        </dd>
      </dl>
      <Button type="button" aria-disabled={signingOut !== undefined} onClick={() => void signOut('here')}>
        {signingOut === 'here' ? 'Signing out…' : 'Sign out'}
      </Button>
      <SessionList key={user.id} />
      <Button
        type="button"
        aria-disabled={signingOut !== undefined}
        onClick={() => void signOut('everywhere')}
      >
        {signingOut === 'everywhere' ? 'Signing out…' : 'Sign out everywhere'}
      </Button>
      <p role="alert" className="bandha-error">
        {errorText}
      </p>
    </>
  );
}
