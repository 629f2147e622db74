// Serves the JWK Set of an issuer at a URL. Tests can change the response, and every request is counted.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';

export const ISSUER = 'https://issuer.example/';

export interface IssuerKey {
  kid: string;
  alg: string;
  pair: GenerateKeyPairResult;
}

export async function createIssuerKey(kid: string, alg = 'EdDSA'): Promise<IssuerKey> {
  return { kid, alg, pair: await generateKeyPair(alg, { extractable: true }) };
}

/** Converts the public key to a member of a JWK Set. `undefined` omits a parameter. */
export async function toJwk({ kid, alg, pair }: IssuerKey, change: object = {}): Promise<object> {
  return { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig', ...change };
}

export interface TokenSpec {
  claims?: object;
  header?: Record<string, unknown>;
  now?: Date;
}

/** Signs a token for the audience `api`, valid for 600 s. `undefined` omits a claim or header parameter. */
export function signToken(
  key: IssuerKey,
  { claims, header, now = new Date() }: TokenSpec = {},
): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000);
  return new SignJWT({ iss: ISSUER, aud: 'api', sub: 'ada', iat: seconds, exp: seconds + 600, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
    .sign(key.pair.privateKey);
}

export interface JwksServer {
  url: URL;
  requests: number;
  /** Sets the response of all later requests: JSON, text, or a listener. */
  serve(response: object | string | RequestListener): void;
  /** Closes every connection without a response. */
  stop(): void;
  close(): Promise<void>;
}

export async function startJwksServer(): Promise<JwksServer> {
  let listener: RequestListener = (_, response) => response.writeHead(404).end();
  const server = createServer((request, response) => {
    jwks.requests += 1;
    listener(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  const jwks: JwksServer = {
    url: new URL(`http://127.0.0.1:${port}/jwks.json`),
    requests: 0,
    serve(content) {
      if (typeof content === 'function') {
        listener = content as RequestListener; // listeners are the only functions
        return;
      }
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      listener = (_, response) => response.end(text);
    },
    stop() {
      listener = (request) => request.socket.destroy();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return jwks;
}

/** Creates a log that collects its lines. */
export function createLines() {
  const lines: { level: string; message: string; [field: string]: unknown }[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, ...fields });
  return {
    lines,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    clear: () => void lines.splice(0),
  };
}
