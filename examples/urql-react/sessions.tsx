// Where the user is signed in, with a button each to end that.
import { RevokeSessionDocument, SessionsDocument, type SessionsQuery } from 'bandha/documents';
import { useRef } from 'react';
import { useMutation, useQuery } from 'urql';
import { auth } from './auth.ts';

type Session = NonNullable<SessionsQuery['sessions']>[number];

export function Sessions() {
  const heading = useRef<HTMLHeadingElement>(null);
  const [{ data, error, fetching }, askAgain] = useQuery({ query: SessionsDocument });
  const [revoking, revoke] = useMutation(RevokeSessionDocument);
  const sessions = data?.sessions;
  const problem = error ?? revoking.error;

  async function end({ id, current }: Session): Promise<void> {
    if (current) return auth.logout();
    if (revoking.fetching) return;
    if ((await revoke({ id })).error) return;
    askAgain({ requestPolicy: 'network-only' });
    heading.current?.focus(); // the button that had it is gone
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
              aria-disabled={revoking.fetching}
              onClick={() => void end(session)}
            >
              End
            </button>
          </li>
        ))}
      </ul>
      <button
        type="button"
        aria-disabled={fetching}
        onClick={() => askAgain({ requestPolicy: 'network-only' })}
      >
        {fetching ? 'Listing…' : 'List again'}
      </button>
    </section>
  );
}

/** The browser of a `User-Agent` header, or its beginning where that is another program. */
function nameDevice(userAgent: string | null): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent ?? '')?.[1];
  return browser ?? userAgent?.slice(0, 40) ?? 'Unknown device';
}
