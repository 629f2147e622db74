// The auth client, and hooks that read its state.
import { createAuthClient, type SignedOutReason, type User } from 'bandha/client';
import { useEffect, useState, useSyncExternalStore } from 'react';

/** Keeps the session in memory: tabs share it, and it ends when the last one is closed. */
export const auth = createAuthClient({
  url: import.meta.env.VITE_BANDHA_URL || 'http://localhost:4000/graphql',
});

export function useUser(): User | null {
  return useSyncExternalStore(auth.onUserChanged, () => auth.user);
}

/** Returns the reason of the latest sign-out; undefined before the first one. */
export function useSignedOutReason(): SignedOutReason | undefined {
  const [reason, setReason] = useState<SignedOutReason>();
  useEffect(() => auth.onSignedOut(setReason), []);
  return reason;
}
