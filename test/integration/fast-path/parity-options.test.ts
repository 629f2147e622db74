// Checks that the fast path and Yoga send the same responses with all options of the server.
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { type Bandha, type BandhaOptions, createListener } from '../../../src/bandha.ts';
import { request } from '../../support/raw-request.ts';
import { QUERIES, startServerPair } from './parity-corpus.ts';

/** Number of runs after which a compilable query is compiled. */
const TIMES = 25;
const JSON_TYPE = { 'Content-Type': 'application/json' };
const ORIGIN = { Origin: 'https://app.example.com' };

async function compare(opening: ReturnType<typeof startServerPair>, headers: Record<string, string> = {}) {
  await using pair = Object.assign(await opening, {
    [Symbol.asyncDispose]: () => pair.close(),
  });
  const callers: Record<string, string>[] = [
    {},
    { Authorization: `Bearer ${pair.token}` },
    { Authorization: `Bearer ${pair.revoked}` },
  ];
  for (const query of QUERIES) {
    for (const caller of callers) {
      const bytes = request({ headers: { ...JSON_TYPE, ...caller, ...headers } }, JSON.stringify({ query }));
      const { fastPath, yoga } = await pair.sendToBoth(bytes);
      expect(fastPath, query).toEqual(yoga);
    }
  }
  const query = '{ secureData { message } hello later }';
  const bytes = request({ headers: { ...JSON_TYPE, ...callers[1], ...headers } }, JSON.stringify({ query }));
  for (let time = 0; time < TIMES; time += 1) {
    const { fastPath, yoga } = await pair.sendToBoth(bytes);
    expect(fastPath).toEqual(yoga);
  }
}

describe('every query to a server with', () => {
  it.each<[string, BandhaOptions]>([
    ['denied fields that are null', { onDenied: 'null' }],
    ['denials that are only logged', { reportOnly: true }],
    ['default deny', { defaultAccess: 'deny' }],
    ['default deny, and denied fields that are null', { defaultAccess: 'deny', onDenied: 'null' }],
    ['no compiler', { compile: false }],
    ['no GraphiQL and no introspection', { graphiql: false }],
    ['no sign-up', { signup: 'closed' }],
  ])('%s gets the same response', async (_, options) => {
    await compare(startServerPair(options));
  });
});

describe('every query to an application’s Yoga server with', () => {
  const behindYoga = (options: object, listenerOptions: object = {}) => {
    const yogaOf = ({ schema, plugins }: Bandha) =>
      createYoga({ schema, plugins, logging: false, graphiql: false, ...options });
    return startServerPair({}, (bandha) => {
      const yoga = yogaOf(bandha);
      const fastPath = createListener(yoga, bandha, listenerOptions);
      expect(fastPath).not.toBe(yoga); // otherwise nothing would be compared
      return { fastPath, yoga: yogaOf(bandha) };
    });
  };

  it.each<[string, object, object?]>([
    ['no options', {}],
    ['errors that are not masked', { maskedErrors: false }],
    ['another message for unexpected errors', { maskedErrors: { errorMessage: 'Sorry.' } }],
    ['another function to mask errors', { maskedErrors: { maskError: () => new Error('masked otherwise') } }],
    ['errors with their originals', { maskedErrors: { isDev: true } }],
    ['no CORS', { cors: false }],
    [
      'one allowed origin',
      { cors: { origin: 'https://app.example.com', credentials: true } },
      { cors: { origin: 'https://app.example.com', credentials: true } },
    ],
    [
      'several allowed origins',
      { cors: { origin: ['https://a.example', 'https://b.example'] } },
      { cors: { origin: ['https://a.example', 'https://b.example'] } },
    ],
  ])('%s gets the same response', async (_, options, listenerOptions) => {
    await compare(behindYoga(options, listenerOptions), ORIGIN);
  });
});
