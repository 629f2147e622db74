// Fetches a JWK Set (RFC 7517, section 5), with limits on size and time. Redirects are not followed: they could lead to a scheme or
// host that the operator has not configured.
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { describeValue } from '../token-log.ts';

/** Maximum time of a fetch, including the body: every caller with a token waits for it, even for a public field. */
const FETCH_TIMEOUT_MS = 2_000;
/** Far more than issuers publish: ten keys with certificate chains have about 30 kB. */
const MAX_JWKS_BYTES = 500_000;

/** The JWK Set cannot be fetched or parsed. `fields` have the reason, for the log. */
export class JwksFetchError extends Error {
  readonly fields: Readonly<Record<string, string | number>>;
  constructor(fields: Readonly<Record<string, string | number>>, cause?: unknown) {
    super('The JWK Set cannot be fetched', { cause });
    this.name = 'JwksFetchError';
    this.fields = fields;
  }
  get isTimeout(): boolean {
    return this.fields.reason === 'timeout';
  }
}

/** @throws JwksFetchError */
export async function fetchJwks(url: URL): Promise<JWTVerifyGetKey> {
  const text = await fetchText(url).catch((error) => {
    throw error instanceof JwksFetchError
      ? error
      : new JwksFetchError({ reason: describeFailure(error) }, error);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new JwksFetchError({ reason: 'response is not JSON' }, cause);
  }
  try {
    return createLocalJWKSet(json as JSONWebKeySet); // jose checks the value
  } catch (cause) {
    throw new JwksFetchError({ reason: 'response is not a JWK Set' }, cause);
  }
}

async function fetchText(url: URL): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  const { status, body, headers } = response;
  if (status !== 200) {
    await body?.cancel();
    const location = headers.get('location');
    throw new JwksFetchError({
      reason: 'response status is not 200',
      status,
      ...(location !== null && { location: describeValue(withoutQuery(location)) }),
    });
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    // Throwing out of the loop closes the connection.
    if (length > MAX_JWKS_BYTES)
      throw new JwksFetchError({ reason: `response exceeds ${MAX_JWKS_BYTES} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Removes the query of a URL for the log: it may contain credentials. */
export function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

/** @returns the error code of the system or of Node's fetch, such as `ECONNREFUSED`, not the message: it could repeat text from the server */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return 'timeout';
  const { code } = (error.cause ?? error) as { code?: unknown }; // any error may have one
  return typeof code === 'string' ? code : error.name;
}
