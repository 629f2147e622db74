// Who is signed in, with which roles, and where else.
import { Button } from '@graphiql/react';
import { useState } from 'react';
import type { User } from '../../client/index.ts';
import { usePage } from '../page-state.ts';
import { SessionList } from './session-list.tsx';
import { revokeAllSessions } from './sessions.ts';

export function SignedIn({ user }: { user: User }) {
  const { client, panelFocus } = usePage();
  const [leaving, setLeaving] = useState<'here' | 'everywhere'>();
  const [problem, setProblem] = useState('');

  async function signOut(where: 'here' | 'everywhere'): Promise<void> {
    if (leaving !== undefined) return;
    setLeaving(where);
    setProblem('');
    try {
      await (where === 'here' ? client.logout() : revokeAllSessions(client));
      panelFocus.request();
    } catch {
      setProblem('The sessions could not be ended. Try again.');
      setLeaving(undefined);
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
      <Button type="button" aria-disabled={leaving !== undefined} onClick={() => void signOut('here')}>
        {leaving === 'here' ? 'Signing out…' : 'Sign out'}
      </Button>
      <SessionList key={user.id} />
      <Button type="button" aria-disabled={leaving !== undefined} onClick={() => void signOut('everywhere')}>
        {leaving === 'everywhere' ? 'Signing out…' : 'Sign out everywhere'}
      </Button>
      <p role="alert" className="bandha-problem">
        {problem}
      </p>
    </>
  );
}
