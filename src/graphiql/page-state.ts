// State shared by the parts of the page: the signed-in user, the latest denial, the requirements of fields.
import { createContext, useContext } from 'react';
import type { AuthClient, SignedOutReason, User } from '../client/index.ts';
import type { StaySignedIn } from './account/stay-signed-in.ts';
import type { Denial } from './denied/find-denial.ts';
import { createRequirements, type Requirements } from './docs/requirements.ts';
import { createFocusRequest, type FocusRequest } from './focus-request.ts';
import { createValue, type Value } from './value.ts';

export interface Account {
  user: User | null;
  /** False until the page has checked other tabs and the storage for a session. */
  isKnown: boolean;
  /** Reason of the latest sign-out; null before it and after the next sign-in. */
  signedOutReason: SignedOutReason | null;
}

export interface PageDeps extends Pick<PageState, 'client' | 'stay' | 'canRegister'> {
  /** URL of the page. */
  url: URL;
}

export interface PageState {
  client: AuthClient;
  /** Whether sign-up is open; the server writes it into the page. */
  canRegister: boolean;
  stay: StaySignedIn;
  account: Value<Account>;
  /** Increases when the caller changes or signs in again. */
  identityVersion: Value<number>;
  /** Denial of the latest operation. */
  denial: Value<Denial | null>;
  /** The denial that was resolved by signing in, so that the operation can be run again. */
  resolvedDenial: Value<Denial | null>;
  /** Whether the panel shows the form although the user is signed in, for example because of `maxAge`. */
  isReauthenticating: Value<boolean>;
  requirements: Requirements;
  /** Focuses the account panel's first field, or its heading. */
  panelFocus: FocusRequest;
  /** Focuses the button that runs a denied operation again. */
  runFocus: FocusRequest;
  /** Called after signing in, also if the user is the same as before. */
  markSignedIn(): void;
}

/** Creates the state, and updates it from events of `client`. */
export function createPageState({ client, url, stay, canRegister }: PageDeps): PageState {
  const account = createValue<Account>({ user: client.user, isKnown: false, signedOutReason: null });
  const change = (part: Partial<Account>) => account.set({ ...account.get(), ...part });
  const identityVersion = createValue(0);
  const denial = createValue<Denial | null>(null);
  const resolvedDenial = createValue<Denial | null>(null);
  const markSignedIn = () => {
    resolvedDenial.set(denial.get());
    identityVersion.set(identityVersion.get() + 1);
  };
  client.onUserChanged((user) => {
    change(user === null ? { user } : { user, signedOutReason: null });
    if (user !== null) markSignedIn();
    else identityVersion.set(identityVersion.get() + 1);
  });
  client.onSignedOut((signedOutReason) => change({ user: null, signedOutReason }));
  client.ready.finally(() => change({ isKnown: true, user: client.user }));
  return {
    client,
    canRegister,
    stay,
    account,
    identityVersion,
    denial,
    resolvedDenial,
    isReauthenticating: createValue(false),
    requirements: createRequirements(client, url),
    panelFocus: createFocusRequest(),
    runFocus: createFocusRequest(),
    markSignedIn,
  };
}

const PageContext = createContext<PageState | null>(null);

export const PageProvider = PageContext.Provider;

/** @throws Error if the component is not inside `PageProvider` */
export function usePage(): PageState {
  const page = useContext(PageContext);
  if (page === null) throw new Error('usePage: must be used inside PageProvider');
  return page;
}
