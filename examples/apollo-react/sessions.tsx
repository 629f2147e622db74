// The user's sessions, with a button to revoke each.
import { useMutation, useQuery } from '@apollo/client/react';
import { RevokeSessionDocument, SessionsDocument, type SessionsQuery } from 'bandha/documents';
import { useRef } from 'react';
import { auth } from './auth.ts';

type Session = NonNullable<SessionsQuery['sessions']>[number];

export function Sessions() {
  const heading = useRef<HTMLHeadingElement>(null);
  const { data, error, loading, refetch } = useQuery(SessionsDocument);
  const [revoke, revoking] = useMutation(RevokeSessionDocument, {
    refetchQueries: [SessionsDocument],
    awaitRefetchQueries: true,
  });
  const sessions = data?.sessions;
  const shownError = error ?? revoking.error;

  async function revokeSession({ id, current }: Session): Promise<void> {
    if (current) return auth.logout();
    if (revoking.loading) return;
    try {
      await revoke({ variables: { id } });
      heading.current?.focus(); // the focused button was removed
    } catch {
      // rendered as revoking.error
    }
  }

  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions" ref={heading} tabIndex={-1}>
        Sessions
      </h2>
      {shownError && (
        <p role="alert" className="error">
          {shownError.message}
        </p>
      )}
      <ul>
        {sessions?.map((session) => (
          <li key={session.id}>
            <div>
              <strong>{describeDevice(session.userAgent)}</strong>
              {session.current && <span className="badge">this session</span>}
              <p className="quiet">
                Signed in {new Date(session.createdAt).toLocaleString()}
                {session.ipAddress && `, from ${session.ipAddress}`}
              </p>
            </div>
            <button
              type="button"
              aria-label={`Revoke the session of ${describeDevice(session.userAgent)}`}
              aria-disabled={revoking.loading}
              onClick={() => void revokeSession(session)}
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      <button type="button" aria-disabled={loading} onClick={() => void refetch()}>
        {loading ? 'Refreshing…' : 'Refresh sessions'}
      </button>
    </section>
  );
}

/** Returns the browser's name from a `User-Agent` header, or the first 40 characters of another program's. */
function describeDevice(userAgent: string | null): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent ?? '')?.[1];
  return browser ?? userAgent?.slice(0, 40) ?? 'Unknown device';
}
