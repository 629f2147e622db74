// The page's header: Bandha's name, and the button that opens the account panel.
import { Button, useGraphiQL } from '@graphiql/react';
import { ACCOUNT_PLUGIN, openAccountPanel } from './account/plugin.tsx';
import { LockIcon } from './lock-icon.tsx';
import { usePage } from './page-state.ts';
import { useValue } from './value.ts';

export function Header() {
  const page = usePage();
  const { user, isKnown } = useValue(page.account);
  const isPanelOpen = useGraphiQL(({ visiblePlugin }) => visiblePlugin === ACCOUNT_PLUGIN);
  return (
    <div className="bandha-header">
      <span className="bandha-name">
        <LockIcon />
        Bandha
      </span>
      {isKnown && (user !== null || !isPanelOpen) && (
        <Button
          type="button"
          className={user === null ? 'bandha-primary' : 'bandha-who'}
          aria-label={
            user === null ? 'Sign in: open the account panel' : `${user.email}: open the account panel`
          }
          onClick={() => openAccountPanel(page)}
        >
          {user === null ? 'Sign in' : user.email}
        </Button>
      )}
    </div>
  );
}
