// Who is signed in: the client of the server, and what components want to know of it.
import { createAuthClient, type SignedOutReason, type User } from 'bandha/client';
import { useEffect, useState, useSyncExternalStore } from 'react';

/** The session is kept in memory: tabs share it, and it is gone with the last of them. */
export const auth = createAuthClient({
  url: import.meta.env.VITE_BANDHA_URL || 'http://localhost:4000/graphql',
});

export function useUser(): User | null {
  return useSyncExternalStore(auth.onUserChanged, () => auth.user);
}

/** Why nobody is signed in any more; undefined as long as nobody has been signed out. */
export function useSignedOutReason(): SignedOutReason | undefined {
  const [reason, setReason] = useState<SignedOutReason>();
  useEffect(() => auth.onSignedOut(setReason), []);
  return reason;
}
