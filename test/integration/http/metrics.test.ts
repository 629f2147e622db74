// Checks the metrics that Prometheus reads.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Reads all samples, keyed by name and labels. */
async function read(): Promise<Map<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

/** Measures how much the samples grow while `act` runs. */
async function growth(run: () => Promise<unknown>): Promise<(sample: string) => number> {
  const before = await read();
  await run();
  const after = await read();
  return (sample) => (after.get(sample) ?? Number.NaN) - (before.get(sample) ?? 0);
}

const SECURE = '{ secureData { message } }';

describe('GET /metrics', () => {
  it('serves samples with numbers in the text format of Prometheus', async () => {
    const response = await fetch(`${server.url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const samples = await read();
    expect(samples.size).toBeGreaterThan(5);
    expect([...samples.values()].filter(Number.isNaN)).toEqual([]);
  });

  it('rejects POST with 405', async () => {
    const response = await fetch(`${server.url}/metrics`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('counts tokens by result, and responses by status', async () => {
    const { accessToken } = await register(server.url);
    const growthOf = await growth(async () => {
      await server.send(SECURE, { token: accessToken });
      await server.send(SECURE, { token: accessToken });
      await server.send(SECURE, { token: 'garbage' });
      await server.send(SECURE);
    });
    expect(growthOf('bandha_authentications_total{result="accepted"}')).toBe(2);
    expect(growthOf('bandha_authentications_total{result="TOKEN_MALFORMED"}')).toBe(1);
    expect(growthOf('bandha_authentications_total{result="none"}')).toBe(1);
    expect(growthOf('bandha_http_responses_total{status="401"}')).toBe(2);
  });

  it('counts sign-ins and refreshes by outcome, with their durations', async () => {
    const { refreshToken, user } = await register(server.url);
    const growthOf = await growth(async () => {
      await server.send(`mutation { refresh(refreshToken: "${refreshToken}") { tokenType } }`);
      await server.send('mutation { refresh(refreshToken: "garbage") { tokenType } }');
      await server.send(`mutation { login(email: "${user.email}", password: "wrong") { tokenType } }`);
    });
    expect(growthOf('bandha_account_seconds_count{verb="refresh",outcome="ok"}')).toBe(1);
    expect(growthOf('bandha_account_seconds_count{verb="refresh",outcome="UNKNOWN"}')).toBe(1);
    expect(growthOf('bandha_account_seconds_count{verb="logIn",outcome="INVALID_CREDENTIALS"}')).toBe(1);
    expect(
      growthOf('bandha_account_seconds_sum{verb="logIn",outcome="INVALID_CREDENTIALS"}'),
    ).toBeGreaterThan(0);
  });

  it('shows the number of revoked sessions and of cached tokens', async () => {
    const { accessToken } = await register(server.url);
    const growthOf = await growth(async () => {
      await server.send(SECURE, { token: accessToken });
      await server.send('mutation { logout }', { token: accessToken });
    });
    expect(growthOf('bandha_revoked_sessions')).toBe(1);
    expect(growthOf('bandha_cached_tokens')).toBe(1);
  });

  it('contains no email, user id or token', async () => {
    const { user, accessToken } = await register(server.url);
    await server.send(SECURE, { token: accessToken });
    const text = await (await fetch(`${server.url}/metrics`)).text();
    for (const secret of [user.email, user.id, accessToken]) expect(text).not.toContain(secret);
  });
});

it('the labels of account functions are those of version 0.1.0', async () => {
  const { accounts } = server.bandha;
  await accounts.findUser('none');
  await accounts.revokeSession({ userId: 'none', sessionId: 'none' });
  await accounts.revokeAllSessions('none');
  const labels = [...(await read()).keys()].flatMap(
    (sample) => /_count\{verb="(\w+)"/.exec(sample)?.[1] ?? [],
  );
  const renamed = ['findAccount', 'endSession', 'endAllSessions'];
  expect(labels).toEqual(expect.arrayContaining(renamed));
  const page = await readFile('docs/operations/monitoring.md', 'utf8');
  for (const label of labels) expect(page).toContain(`\`${label}\``);
});
