// An issuer whose JWK Set is at a URL: what the URL serves can be changed, and each request is counted.
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

/** The public key as a member of a JWK Set; `undefined` leaves a parameter out. */
export async function toJwk({ kid, alg, pair }: IssuerKey, change: object = {}): Promise<object> {
  return { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig', ...change };
}

export interface TokenSpec {
  claims?: object;
  header?: Record<string, unknown>;
  now?: Date;
}

/** A token of the issuer for the audience `api`, valid for 600 s; `undefined` leaves a claim or header parameter out. */
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
  /** Answers from now on with this JSON, text, or listener. */
  serve(answer: object | string | RequestListener): void;
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
    serve(answer) {
      if (typeof answer === 'function')
        listener = answer as RequestListener; // the one kind of function here
      else
        listener = (_, response) =>
          response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
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

/** A log that collects its lines. */
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
