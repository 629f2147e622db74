// Where the user is signed in, with a button each to end that.
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
  const problem = error ?? revoking.error;

  async function end({ id, current }: Session): Promise<void> {
    if (current) return auth.logout();
    if (revoking.loading) return;
    try {
      await revoke({ variables: { id } });
      heading.current?.focus(); // the button that had it is gone
    } catch {
      // Shown as the mutation's error.
    }
  }

  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions" ref={heading} tabIndex={-1}>
        Sessions
      </h2>
      {problem && (
        <p role="alert" className="problem">
          {problem.message}
        </p>
      )}
      <ul>
        {sessions?.map((session) => (
          <li key={session.id}>
            <div>
              <strong>{nameDevice(session.userAgent)}</strong>
              {session.current && <span className="badge">this one</span>}
              <p className="quiet">
                Signed in {new Date(session.createdAt).toLocaleString()}
                {session.ipAddress && `, from ${session.ipAddress}`}
              </p>
            </div>
            <button
              type="button"
              aria-label={`End the session of ${nameDevice(session.userAgent)}`}
              aria-disabled={revoking.loading}
              onClick={() => void end(session)}
            >
              End
            </button>
          </li>
        ))}
      </ul>
      <button type="button" aria-disabled={loading} onClick={() => void refetch()}>
        {loading ? 'Listing…' : 'List again'}
      </button>
    </section>
  );
}

/** The browser of a `User-Agent` header, or its beginning where that is another program. */
function nameDevice(userAgent: string | null): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent ?? '')?.[1];
  return browser ?? userAgent?.slice(0, 40) ?? 'Unknown device';
}
