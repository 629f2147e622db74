// The user's sessions, with a button to revoke each.
import { RevokeSessionDocument, SessionsDocument, type SessionsQuery } from 'bandha/documents';
import { useRef } from 'react';
import { useMutation, useQuery } from 'urql';
import { auth } from './auth.ts';

type Session = NonNullable<SessionsQuery['sessions']>[number];

export function Sessions() {
  const heading = useRef<HTMLHeadingElement>(null);
  const [{ data, error, fetching }, refetch] = useQuery({ query: SessionsDocument });
  const [revoking, revoke] = useMutation(RevokeSessionDocument);
  const sessions = data?.sessions;
  const shownError = error ?? revoking.error;

  async function revokeSession({ id, current }: Session): Promise<void> {
    if (current) return auth.logout();
    if (revoking.fetching) return;
    if ((await revoke({ id })).error) return;
    refetch({ requestPolicy: 'network-only' });
    heading.current?.focus(); // the focused button was removed
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
              aria-disabled={revoking.fetching}
              onClick={() => void revokeSession(session)}
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      <button
        type="button"
        aria-disabled={fetching}
        onClick={() => refetch({ requestPolicy: 'network-only' })}
      >
        {fetching ? 'Refreshing…' : 'Refresh sessions'}
      </button>
    </section>
  );
}

/** Returns the browser's name from a `User-Agent` header, or the first 40 characters of another program's. */
function describeDevice(userAgent: string | null): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent ?? '')?.[1];
  return browser ?? userAgent?.slice(0, 40) ?? 'Unknown device';
}
