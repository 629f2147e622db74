// Where the caller is signed in, with a button each to end that.
import { Button } from '@graphiql/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { usePage } from '../page-state.ts';
import { describeDevice } from './describe-device.ts';
import { nameTime, RelativeTime } from './relative-time.tsx';
import { type LiveSession, listSessions, revokeSession } from './sessions.ts';

export function SessionList() {
  const { client } = usePage();
  const heading = useRef<HTMLHeadingElement>(null);
  const [sessions, setSessions] = useState<readonly LiveSession[]>();
  const [ending, setEnding] = useState<string>();
  const [status, setStatus] = useState('');
  const [problem, setProblem] = useState('');

  const load = useCallback(async () => {
    try {
      setSessions(await listSessions(client));
      setProblem('');
    } catch {
      setProblem('The sessions could not be loaded.');
    }
  }, [client]);
  useEffect(() => void load(), [load]);

  async function end(session: LiveSession): Promise<void> {
    if (ending !== undefined) return;
    setEnding(session.id);
    setStatus('');
    try {
      await revokeSession(client, session);
      if (session.current) return; // the panel shows that nobody is signed in
      await load();
      setStatus(`The session of ${describeDevice(session.userAgent)} has ended.`);
      // The button that had the focus is gone.
      heading.current?.focus();
    } catch {
      setProblem('The session could not be ended. Try again.');
    } finally {
      setEnding(undefined);
    }
  }

  return (
    <section className="bandha-sessions" aria-labelledby="bandha-sessions">
      <div className="bandha-row">
        <h3 id="bandha-sessions" ref={heading} tabIndex={-1}>
          Sessions
        </h3>
        <Button type="button" onClick={() => void load()}>
          {sessions === undefined && problem !== '' ? 'Try again' : 'Refresh'}
        </Button>
      </div>
      <p role="status" className="bandha-quiet">
        {status}
      </p>
      <p role="alert" className="bandha-problem">
        {problem}
      </p>
      {sessions === undefined && problem === '' && <p className="bandha-quiet">Loading…</p>}
      <ul>
        {sessions?.map((session, index) => (
          <li key={session.id}>
            <div>
              <strong>{describeDevice(session.userAgent)}</strong>
              {session.current && <span className="bandha-badge">this one</span>}
              <p className="bandha-quiet">
                Signed in {nameTime(session.createdAt)}, last used <RelativeTime at={session.lastUsedAt} />
                {session.ipAddress && <>, from {session.ipAddress}</>}
              </p>
            </div>
            <Button
              type="button"
              aria-label={`End session ${index + 1}: ${describeDevice(session.userAgent)}, signed in ${nameTime(session.createdAt)}`}
              aria-disabled={ending !== undefined}
              onClick={() => void end(session)}
            >
              {ending === session.id ? 'Ending…' : 'End'}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
