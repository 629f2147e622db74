// The JWK Set of an issuer, by URL: rotation, outages, log lines and the number of fetches.
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createVerifier, type VerifierOptions } from '../../../src/index.ts';
import { createRemoteKeys } from '../../../src/tokens/keys/remote-keys.ts';
import {
  createIssuerKey,
  createLines,
  ISSUER,
  type IssuerKey,
  type JwksServer,
  signToken,
  startJwksServer,
  toJwk,
} from '../../support/jwks-server.ts';

const HOUR_MS = 60 * 60 * 1000;

let keys: IssuerKey[];
let jwks: JwksServer;
let clock: { now: Date };
beforeAll(async () => {
  keys = await Promise.all(['k1', 'k2', 'k3'].map((kid) => createIssuerKey(kid)));
});
beforeEach(async () => {
  jwks = await startJwksServer();
  clock = { now: new Date() };
});
afterEach(() => jwks.close());

const keyOf = (index: number) => keys[index] as IssuerKey; // there are three
async function publish(...indexes: number[]): Promise<void> {
  jwks.serve({ keys: await Promise.all(indexes.map((index) => toJwk(keyOf(index)))) });
}
function openVerifier(options: Partial<VerifierOptions> = {}) {
  const { lines, log, clear } = createLines();
  const settings = { issuer: ISSUER, audience: 'api', keys: jwks.url, now: () => clock.now, log, ...options };
  const verifier = createVerifier(settings);
  const present = async (token: string | Promise<string>) => {
    const { principal, problem } = await verifier.verify(await token);
    return principal === undefined ? problem : 'accepted';
  };
  /** Presents a new token, signed with the key at this index. */
  const presentNew = (index: number) => present(signToken(keyOf(index), { now: clock.now }));
  const warnings = () => lines.filter(({ level }) => level === 'warn');
  return { verifier, present, presentNew, warnings, lines, clear };
}
const withKid = (kid: string) => signToken(keyOf(0), { header: { kid }, now: clock.now });
const later = (ms: number) => {
  clock.now = new Date(clock.now.getTime() + ms);
};

describe('a newly rotated key', () => {
  it('verifies immediately, although the set was just fetched', async () => {
    await publish(0);
    const { presentNew } = openVerifier();
    expect(await presentNew(0)).toBe('accepted');
    await publish(0, 1);
    expect(await presentNew(1)).toBe('accepted');
    await publish(1, 2);
    expect(await presentNew(2)).toBe('accepted');
    expect(jwks.requests).toBe(3);
  });

  it('verifies a token that arrives while the previous set is being fetched', async () => {
    await publish(0);
    const { presentNew, present } = openVerifier();
    expect(await presentNew(0)).toBe('accepted');
    const before = await toJwk(keyOf(0));
    const [requested, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    jwks.serve(async (_, response) => {
      requested.resolve();
      await release.promise;
      response.end(JSON.stringify({ keys: [before] }));
    });
    const forged = present(withKid('made-up'));
    await requested.promise;
    const rotated = presentNew(1);
    await publish(0, 1);
    release.resolve();
    expect(await forged).toBe('TOKEN_INVALID');
    expect(await rotated).toBe('accepted');
  });

  it('gives KEYS_UNAVAILABLE, not TOKEN_INVALID, if no fetch is allowed now', async () => {
    await publish(0);
    const { presentNew, present, warnings } = openVerifier();
    for (let i = 0; i < 20; i += 1) await present(withKid(`made-up-${i}`));
    await publish(0, 1);
    expect(await presentNew(1)).toBe('KEYS_UNAVAILABLE');
    expect(warnings()).toContainEqual(
      expect.objectContaining({
        message: 'unknown signing key not fetched: too many fetches for unknown keys',
        url: jwks.url.href,
      }),
    );
  });
});

describe('tokens with made-up kids', () => {
  it('cause at most six fetches, and do not affect known keys', async () => {
    await publish(0);
    const { presentNew, present, lines } = openVerifier();
    const tokens = await Promise.all(Array.from({ length: 200 }, (_, i) => withKid(`made-up-${i}`)));
    const outcomes = new Map<string | undefined, number>();
    for (const token of tokens) {
      const outcome = await present(token);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(jwks.requests).toBeLessThanOrEqual(6);
    expect([...outcomes.keys()].sort()).toEqual(['KEYS_UNAVAILABLE', 'TOKEN_INVALID']);
    expect(await presentNew(0)).toBe('accepted');
    expect(lines.length).toBeLessThan(20);
  });

  it('cause at most two fetches if they arrive at the same time', async () => {
    await publish(0);
    const { present, presentNew } = openVerifier();
    await presentNew(0);
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => withKid(`made-up-${i}`)));
    const outcomes = await Promise.all(tokens.map(present));
    expect(new Set(outcomes)).toEqual(new Set(['TOKEN_INVALID']));
    expect(jwks.requests).toBeLessThanOrEqual(3);
  });

  it('give TOKEN_INVALID again if the key was searched for before', async () => {
    await publish(0);
    const { present, presentNew } = openVerifier();
    expect(await present(withKid('withdrawn'))).toBe('TOKEN_INVALID');
    for (let i = 0; i < 20; i += 1) await present(withKid(`made-up-${i}`));
    for (let i = 0; i < 5; i += 1) expect(await present(withKid('withdrawn'))).toBe('TOKEN_INVALID');
    const forged = signToken({ ...(await createIssuerKey('k1')) }, { now: clock.now });
    expect(await present(forged)).toBe('TOKEN_INVALID');
    expect(await presentNew(0)).toBe('accepted');
  });

  it('cause another fetch every ten seconds', async () => {
    await publish(0);
    const time = { ms: 0 };
    const finder = createRemoteKeys(jwks.url, {
      maxKeyAgeSeconds: 86_400,
      now: () => clock.now,
      report: () => {},
      clock: () => time.ms,
    });
    const token = { payload: '', signature: '' };
    const find = async (kid: string) => {
      try {
        await finder.find({ alg: 'EdDSA', kid }, token);
        return 'found';
      } catch (error) {
        return error instanceof Error ? error.name : String(error);
      }
    };
    for (let i = 0; i < 10; i += 1) await find(`made-up-${i}`);
    await publish(0, 1);
    expect(await find('k2')).toBe('KeysUnavailableError');
    time.ms = 9_999;
    expect(await find('k2')).toBe('KeysUnavailableError');
    time.ms = 10_000;
    expect(await find('k2')).toBe('found');
    expect(await find('made-up')).toBe('KeysUnavailableError');
    time.ms = 3_600_000;
    const before = jwks.requests;
    for (let i = 0; i < 50; i += 1) await find(`made-up-too-${i}`);
    expect(jwks.requests - before).toBe(5);
  });
});

describe('a JWK Set that cannot be fetched', () => {
  const big = `{"keys":[],"x":"${'x'.repeat(600_000)}"}`;
  it.each<[string, Parameters<JwksServer['serve']>[0], object]>([
    ['404', (_, response) => response.writeHead(404).end(), { status: 404 }],
    ['500', (_, response) => response.writeHead(500).end('oops'), { status: 500 }],
    ['204', (_, response) => response.writeHead(204).end(), { status: 204 }],
    ['HTML', '<html>Sign in</html>', { reason: 'response is not JSON' }],
    ['an empty body', '', { reason: 'response is not JSON' }],
    ['half of its JSON', '{"keys":[', { reason: 'response is not JSON' }],
    ['other JSON', '{"issuer":"x"}', { reason: 'response is not a JWK Set' }],
    ['null', 'null', { reason: 'response is not a JWK Set' }],
    ['keys that are not objects', '{"keys":["x"]}', { reason: 'response is not a JWK Set' }],
    ['too much', big, { reason: 'response exceeds 500000 bytes' }],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/?token=s3cret' }).end(),
      { status: 302, location: 'http://169.254.169.254/' },
    ],
    ['a closed connection', (request) => request.socket.destroy(), { reason: 'UND_ERR_SOCKET' }],
  ])('gives KEYS_UNAVAILABLE with one warning, and recovers: %s', async (_, answer, fields) => {
    jwks.serve(answer);
    const { presentNew, warnings, lines } = openVerifier();
    for (let i = 0; i < 3; i += 1) expect(await presentNew(0)).toBe('KEYS_UNAVAILABLE');
    expect(warnings()).toEqual([
      expect.objectContaining({ message: 'signing keys cannot be fetched', url: jwks.url.href, ...fields }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('s3cret');
    await publish(0);
    expect(await presentNew(0)).toBe('accepted');
  });

  it('causes no request to a redirect target', async () => {
    const target = await startJwksServer();
    try {
      target.serve({ keys: [await toJwk(keyOf(0))] });
      jwks.serve((_, response) => response.writeHead(302, { location: target.url.href }).end());
      expect(await openVerifier().presentNew(0)).toBe('KEYS_UNAVAILABLE');
      expect(target.requests).toBe(0);
    } finally {
      await target.close();
    }
  });

  it('closes the connection once the response exceeds the limit', async () => {
    const closed = Promise.withResolvers<void>();
    jwks.serve((_, response) => {
      const write = () => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', write).on('close', closed.resolve);
      write();
    });
    expect(await openVerifier().presentNew(0)).toBe('KEYS_UNAVAILABLE');
    await closed.promise;
  });

  it('delays one caller by two seconds, and the next ones not at all', async () => {
    jwks.serve((_, response) => response.write('{"keys":[')); // and never ends
    const { presentNew, warnings } = openVerifier();
    expect(await presentNew(0)).toBe('KEYS_UNAVAILABLE');
    for (let i = 0; i < 5; i += 1) expect(await presentNew(0)).toBe('KEYS_UNAVAILABLE');
    expect(jwks.requests).toBe(1);
    expect(warnings()).toEqual([expect.objectContaining({ reason: 'timeout' })]);
  });

  it('causes few fetches for many callers', async () => {
    jwks.stop();
    const { presentNew } = openVerifier();
    for (let i = 0; i < 100; i += 1) await presentNew(0);
    // Five at once, then one a second: a slow machine may take several.
    expect(jwks.requests).toBeLessThan(30);
    await publish(0);
    await vi.waitUntil(async () => (await presentNew(0)) === 'accepted', { timeout: 30_000, interval: 50 });
  });
});

describe('cached keys', () => {
  it('verify for a day by default, then give KEYS_UNAVAILABLE', async () => {
    await publish(0);
    const { presentNew, warnings } = openVerifier();
    expect(await presentNew(0)).toBe('accepted');
    jwks.stop();
    later(24 * HOUR_MS - 1000);
    expect(await presentNew(0)).toBe('accepted');
    later(1000);
    expect(await presentNew(0)).toBe('KEYS_UNAVAILABLE');
    later(365 * 24 * HOUR_MS);
    expect(await presentNew(0)).toBe('KEYS_UNAVAILABLE');
    expect(warnings().map(({ message }) => message)).toContain(
      'signing keys too old: not refreshed within maxKeyAgeSeconds',
    );
    await publish(0);
    await vi.waitUntil(async () => (await presentNew(0)) === 'accepted', { timeout: 30_000, interval: 50 });
  });

  it('end the cache of the tokens that they verified', async () => {
    await publish(0);
    const { present, verifier } = openVerifier({ maxKeyAgeSeconds: 60 });
    const token = await signToken(keyOf(0), { claims: { exp: 4e9 }, now: clock.now });
    expect(await present(token)).toBe('accepted');
    jwks.stop();
    later(59_999);
    expect(verifier.getCached(token)?.principal?.userId).toBe('ada');
    later(1);
    expect(verifier.getCached(token)).toBeUndefined();
    expect(await present(token)).toBe('KEYS_UNAVAILABLE');
  });

  it('verify without waiting for an issuer that hangs', async () => {
    await publish(0);
    const { presentNew } = openVerifier();
    expect(await presentNew(0)).toBe('accepted');
    jwks.stop();
    later(HOUR_MS);
    expect(await presentNew(0)).toBe('accepted'); // waits for the fetch that fails
    jwks.serve(() => {}); // no response at all
    const outcomes = await Promise.all([presentNew(0), presentNew(0)]);
    expect(outcomes).toEqual(['accepted', 'accepted']);
  });

  it('expire after ten minutes, so that a withdrawn key is rejected', async () => {
    await publish(0, 1);
    const { presentNew } = openVerifier();
    expect(await presentNew(0)).toBe('accepted');
    await publish(1);
    later(599_000);
    expect(await presentNew(0)).toBe('accepted');
    later(1_000);
    expect(await presentNew(0)).toBe('TOKEN_INVALID');
  });

  it('expire if the clock is set back', async () => {
    await publish(0);
    const { presentNew } = openVerifier();
    expect(await presentNew(0)).toBe('accepted');
    later(-365 * 24 * HOUR_MS);
    await publish(1);
    expect(await presentNew(0)).toBe('TOKEN_INVALID');
  });
});

describe('an unusable key in the set', () => {
  it('gives KEYS_UNAVAILABLE with a warning', async () => {
    jwks.serve({ keys: [await toJwk(keyOf(0), { x: 'AAAA' })] });
    const { presentNew, warnings } = openVerifier();
    expect(await presentNew(0)).toBe('KEYS_UNAVAILABLE');
    expect(warnings()).toHaveLength(1);
  });
});
