// Plans are cached with their document, up to a number of fields: clients choose which of its operations are planned.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createGuard } from '../../../src/authorization/guard.ts';
import { directiveTypeDefs } from '../../../src/index.ts';
import { heapBytes } from '../../support/heap.ts';

const schema = makeExecutableSchema({
  typeDefs: [directiveTypeDefs, 'type Query { me: Account } type Account @auth { id: ID }'],
});
const list = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

it('many operations with the same long fragment do not fill the memory', async () => {
  const guard = createGuard();
  const fields = list(2_000, (i) => `a${i}:id`);
  const document = parse(
    `fragment F on Account { ${fields} } ${list(400, (i) => `query q${i} { me { ...F } }`)}`,
  );
  guard.prepare(schema, document, 'q0');
  const before = await heapBytes();
  for (let i = 1; i < 400; i += 1) guard.prepare(schema, document, `q${i}`);
  const retained = (await heapBytes()) - before;
  expect(document.definitions.length).toBe(401); // the document must not be collected before this line
  expect(retained).toBeLessThan(5_000_000);
});

it('the guard caches all plans of an ordinary document', () => {
  const guard = createGuard();
  const document = parse(list(20, (i) => `query q${i} { me { ${list(20, (j) => `a${j}: id`)} } }`));
  const plans = Array.from({ length: 20 }, (_, i) => guard.prepare(schema, document, `q${i}`));
  for (const [i, plan] of plans.entries()) expect(guard.prepare(schema, document, `q${i}`)).toBe(plan);
});

it('a plan with more fields than the limit is cached until the next plan', () => {
  const guard = createGuard();
  const document = parse(
    `query large { me { ${list(6_000, (i) => `a${i}:id`)} } } query small { me { id } }`,
  );
  const large = guard.prepare(schema, document, 'large');
  expect(guard.prepare(schema, document, 'large')).toBe(large);
  const small = guard.prepare(schema, document, 'small');
  expect(guard.prepare(schema, document, 'small')).toBe(small);
});
