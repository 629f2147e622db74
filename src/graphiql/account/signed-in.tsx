// Who is signed in, with which roles, and where else.
import { Button } from '@graphiql/react';
import { useState } from 'react';
import type { User } from '../../clients/client.ts';
import { usePage } from '../page-state.ts';
import { SessionList } from './session-list.tsx';

export function SignedIn({ user }: { user: User }) {
  const { client, panelFocus } = usePage();
  const [isLeaving, setIsLeaving] = useState(false);

  async function signOut(): Promise<void> {
    if (isLeaving) return;
    setIsLeaving(true);
    await client.logout();
    panelFocus.request();
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
      <Button type="button" aria-disabled={isLeaving} onClick={() => void signOut()}>
        {isLeaving ? 'Signing out…' : 'Sign out'}
      </Button>
      <SessionList key={user.id} />
    </>
  );
}
