// Both doors answer alike whatever the server's options are.
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { type Bandha, type BandhaOptions, createListener } from '../../../src/bandha.ts';
import { request } from '../../support/raw-request.ts';
import { openDoors, QUERIES } from './parity-corpus.ts';

/** So often that what can be compiled is. */
const TIMES = 25;
const JSON_TYPE = { 'Content-Type': 'application/json' };
const ORIGIN = { Origin: 'https://app.example.com' };

async function compare(opening: ReturnType<typeof openDoors>, headers: Record<string, string> = {}) {
  await using doors = Object.assign(await opening, {
    [Symbol.asyncDispose]: () => doors.close(),
  });
  const callers: Record<string, string>[] = [
    {},
    { Authorization: `Bearer ${doors.token}` },
    { Authorization: `Bearer ${doors.ended}` },
  ];
  for (const query of QUERIES) {
    for (const caller of callers) {
      const bytes = request({ headers: { ...JSON_TYPE, ...caller, ...headers } }, JSON.stringify({ query }));
      const { lane, yoga } = await doors.both(bytes);
      expect(lane, query).toEqual(yoga);
    }
  }
  const query = '{ secureData { message } hello later }';
  const bytes = request({ headers: { ...JSON_TYPE, ...callers[1], ...headers } }, JSON.stringify({ query }));
  for (let time = 0; time < TIMES; time += 1) {
    const { lane, yoga } = await doors.both(bytes);
    expect(lane).toEqual(yoga);
  }
}

describe('every query, where the server has', () => {
  it.each<[string, BandhaOptions]>([
    ['denied fields that are null', { onDenied: 'null' }],
    ['denials that are only logged', { reportOnly: true }],
    ['default deny', { defaultAccess: 'deny' }],
    ['default deny, and denied fields that are null', { defaultAccess: 'deny', onDenied: 'null' }],
    ['no compiler', { compile: false }],
    ['no GraphiQL and no introspection', { graphiql: false }],
    ['no sign-up', { signup: 'closed' }],
  ])('%s', async (_, options) => {
    await compare(openDoors(options));
  });
});

describe('every query, where the app’s own Yoga has', () => {
  const behindYoga = (options: object, laneOptions: object = {}) => {
    const yogaOf = ({ schema, plugins }: Bandha) =>
      createYoga({ schema, plugins, logging: false, graphiql: false, ...options });
    return openDoors({}, (bandha) => {
      const yoga = yogaOf(bandha);
      const lane = createListener(yoga, bandha, laneOptions);
      expect(lane).not.toBe(yoga); // or it would be shut, and nothing compared
      return { lane, yoga: yogaOf(bandha) };
    });
  };

  it.each<[string, object, object?]>([
    ['no options', {}],
    ['errors that are not masked', { maskedErrors: false }],
    ['another word for unexpected errors', { maskedErrors: { errorMessage: 'Sorry.' } }],
    ['another way to mask', { maskedErrors: { maskError: () => new Error('masked otherwise') } }],
    ['errors with what they were', { maskedErrors: { isDev: true } }],
    ['no CORS', { cors: false }],
    [
      'an origin of its own',
      { cors: { origin: 'https://app.example.com', credentials: true } },
      { cors: { origin: 'https://app.example.com', credentials: true } },
    ],
    [
      'other origins',
      { cors: { origin: ['https://a.example', 'https://b.example'] } },
      { cors: { origin: ['https://a.example', 'https://b.example'] } },
    ],
  ])('%s', async (_, options, laneOptions) => {
    await compare(behindYoga(options, laneOptions), ORIGIN);
  });
});
