// What the parts of the page share: who is signed in, what was refused last, what fields need.
import { createContext, useContext } from 'react';
import type { AuthClient, SignedOutReason, User } from '../client/index.ts';
import type { StaySignedIn } from './account/stay-signed-in.ts';
import type { Denial } from './denied/find-denial.ts';
import { createRequirements, type Requirements } from './docs/requirements.ts';
import { createFocusRequest, type FocusRequest } from './focus-request.ts';
import { createValue, type Value } from './value.ts';

export interface Account {
  user: User | null;
  /** False until it is known whether another tab has a session. */
  isKnown: boolean;
  /** Why nobody is signed in any more; null from the next sign-in on, and where nobody was. */
  signedOutReason: SignedOutReason | null;
}

export interface PageDeps extends Pick<PageState, 'client' | 'stay' | 'canRegister'> {
  /** The page's own. */
  url: URL;
}

export interface PageState {
  client: AuthClient;
  /** Whether callers may create accounts; the page is served with it. */
  canRegister: boolean;
  stay: StaySignedIn;
  account: Value<Account>;
  /** Counts how often it has changed who is asking, or when they signed in. */
  identityVersion: Value<number>;
  /** What the last operation was refused for. */
  denial: Value<Denial | null>;
  /** The refusal after which it was signed in, so that the operation may be run again. */
  resolvedDenial: Value<Denial | null>;
  /** Whether the panel asks a signed-in caller to sign in anew, as `maxAge` demands. */
  isReauthenticating: Value<boolean>;
  requirements: Requirements;
  /** The account panel's first field, or its heading. */
  panelFocus: FocusRequest;
  /** The button that runs a refused operation again. */
  runFocus: FocusRequest;
  /** Tells that it was signed in, also where the user is the one from before. */
  markSignedIn(): void;
}

/** Follows `client` for as long as the page is there. */
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

/** @throws Error outside of the page */
export function usePage(): PageState {
  const page = useContext(PageContext);
  if (page === null) throw new Error('Nothing of the page is used outside of it');
  return page;
}
