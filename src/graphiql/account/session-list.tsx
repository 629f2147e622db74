// Lists the caller's sessions, with a button to revoke each.
import { Button } from '@graphiql/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { usePage } from '../page-state.ts';
import { describeDevice } from './describe-device.ts';
import { formatTime, RelativeTime } from './relative-time.tsx';
import { type LiveSession, listSessions, revokeSession } from './sessions.ts';

export function SessionList() {
  const { client } = usePage();
  const heading = useRef<HTMLHeadingElement>(null);
  const [sessions, setSessions] = useState<readonly LiveSession[]>();
  const [revokingId, setRevokingId] = useState<string>();
  const [status, setStatus] = useState('');
  const [errorText, setErrorText] = useState('');

  const load = useCallback(async () => {
    try {
      setSessions(await listSessions(client));
      setErrorText('');
    } catch {
      setErrorText('The sessions could not be loaded.');
    }
  }, [client]);
  useEffect(() => void load(), [load]);

  async function revoke(session: LiveSession): Promise<void> {
    if (revokingId !== undefined) return;
    setRevokingId(session.id);
    setStatus('');
    try {
      await revokeSession(client, session);
      if (session.current) return; // the panel shows the sign-in form
      await load();
      setStatus(`Revoked the session of ${describeDevice(session.userAgent)}.`);
      // The button that had the focus no longer exists.
      heading.current?.focus();
    } catch {
      setErrorText('The session could not be revoked. Try again.');
    } finally {
      setRevokingId(undefined);
    }
  }

  return (
    <section className="bandha-sessions" aria-labelledby="bandha-sessions">
      <div className="bandha-row">
        <h3 id="bandha-sessions" ref={heading} tabIndex={-1}>
          Sessions
        </h3>
        <Button type="button" onClick={() => void load()}>
          {sessions === undefined && errorText !== '' ? 'Try again' : 'Refresh'}
        </Button>
      </div>
      <p role="status" className="bandha-quiet">
        {status}
      </p>
      <p role="alert" className="bandha-error">
        {errorText}
      </p>
      {sessions === undefined && errorText === '' && <p className="bandha-quiet">Loading…</p>}
      <ul>
        {sessions?.map((session, index) => (
          <li key={session.id}>
            <div>
              <strong>{describeDevice(session.userAgent)}</strong>
              {session.current && <span className="bandha-badge">this session</span>}
              <p className="bandha-quiet">
                Signed in {formatTime(session.createdAt)}, last used <RelativeTime at={session.lastUsedAt} />
                {session.ipAddress && <>, from {session.ipAddress}</>}
              </p>
            </div>
            <Button
              type="button"
              aria-label={`Revoke session ${index + 1}: ${describeDevice(session.userAgent)}, signed in ${formatTime(session.createdAt)}`}
              aria-disabled={revokingId !== undefined}
              onClick={() => void revoke(session)}
            >
              {revokingId === session.id ? 'Revoking…' : 'Revoke'}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
