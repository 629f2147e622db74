// The account panel as a plugin of GraphiQL, and the way to open it.
import type { GraphiQLPlugin } from '@graphiql/react';
import { LockIcon } from '../lock-icon.tsx';
import type { PageState } from '../page-state.ts';
import { AccountPanel } from './panel.tsx';

const TITLE = 'Account';

export const ACCOUNT_PLUGIN: GraphiQLPlugin = { title: TITLE, icon: LockIcon, content: AccountPanel };

/** Opens the panel where it is closed, and puts the focus into it. */
export function openAccountPanel({ panelFocus }: PageState): void {
  // The width that a plugin opens with is known to the sidebar alone; GraphiQL's own shortcuts press its buttons too.
  document.querySelector<HTMLElement>(`.graphiql-sidebar button[aria-label="Show ${TITLE}"]`)?.click();
  panelFocus.request();
}
