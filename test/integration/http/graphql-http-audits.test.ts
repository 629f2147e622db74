// Runs the audits of the GraphQL over HTTP specification against the listener.
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

for (const { id, name, fn } of serverAudits({ url: () => `${server.url}/graphql` })) {
  it(`${name} (audit ${id})`, async () => {
    const result = await fn();
    const reason = result.status === 'ok' ? undefined : result.reason;
    // Audits of MAY may give a `notice`, which names the option that the server has chosen.
    const accepted = name.startsWith('MAY ') ? ['ok', 'notice'] : ['ok'];
    expect(accepted, reason).toContain(result.status);
  });
}
