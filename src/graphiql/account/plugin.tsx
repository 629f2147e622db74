// The account panel as a GraphiQL plugin.
import type { GraphiQLPlugin } from '@graphiql/react';
import { LockIcon } from '../lock-icon.tsx';
import type { PageState } from '../page-state.ts';
import { AccountPanel } from './panel.tsx';

const TITLE = 'Account';

export const ACCOUNT_PLUGIN: GraphiQLPlugin = { title: TITLE, icon: LockIcon, content: AccountPanel };

/** Opens the panel if it is closed, and moves the focus into it. */
export function openAccountPanel({ panelFocus }: PageState): void {
  // Clicks the sidebar's button, as GraphiQL's shortcuts do: only the sidebar knows the width of an open plugin.
  document.querySelector<HTMLElement>(`.graphiql-sidebar button[aria-label="Show ${TITLE}"]`)?.click();
  panelFocus.request();
}
