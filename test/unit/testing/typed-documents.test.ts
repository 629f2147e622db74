// Types of results and variables that typed documents determine.
import type { DocumentTypeDecoration, TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
import { expect, expectTypeOf, it } from 'vitest';
import { createTestKit, type TestResult } from '../../../src/testing/index.ts';

interface Invoice {
  invoice: { id: string; total: number } | null;
}
type Exact<T extends Record<string, unknown>> = { [K in keyof T]: T[K] };

const TEXT = 'query ($id: ID!, $more: Int) { invoice(id: $id, more: $more) { id total } }';
const BY_ID: TypedDocumentNode<Invoice, Exact<{ id: string; more?: number | null }>> = parse(TEXT);
const ALONE: TypedDocumentNode<Invoice, Exact<{ [key: string]: never }>> = parse(
  '{ invoice(id: 1) { id total } }',
);
const MAYBE: TypedDocumentNode<Invoice, Exact<{ more?: number | null }>> = parse(
  'query ($more: Int) { invoice(id: 1, more: $more) { id total } }',
);

/** As generated for `documentMode: string`. */
class TypedDocumentString<R, V> extends String implements DocumentTypeDecoration<R, V> {
  declare __apiType?: NonNullable<DocumentTypeDecoration<R, V>['__apiType']>;
}

const { as, anonymous } = createTestKit({
  typeDefs: `type Query { invoice(id: ID!, more: Int): Invoice @auth }
    type Invoice { id: ID! total: Int! }
    type Subscription { invoice(id: ID!, more: Int): Invoice }`,
  resolvers: {
    Query: {
      invoice: (_: unknown, { id, more = 0 }: { id: string; more?: number }) => ({ id, total: 1 + more }),
    },
  },
});

it('a typed document determines the type of the data', async () => {
  const result = await as().execute(BY_ID, { id: '7', more: 2 });
  expectTypeOf(result).toEqualTypeOf<TestResult<Invoice>>();
  expectTypeOf(result.data).toEqualTypeOf<Invoice | null | undefined>();
  expect(result.data?.invoice).toEqual({ id: '7', total: 3 });
});

it('a typed document determines the type of the variables', async () => {
  // @ts-expect-error the id is required
  expect((await as().execute(BY_ID)).code).toBe('BAD_USER_INPUT');
  // @ts-expect-error the id must be a string
  expect((await as().execute(BY_ID, { id: true })).code).toBe('BAD_USER_INPUT');
  // @ts-expect-error the document has no variables
  await as().execute(ALONE, { id: '7' });
  expect((await as().execute(ALONE)).data?.invoice?.total).toBe(1);
  expect((await as().execute(MAYBE)).data?.invoice?.total).toBe(1);
  expect((await as().execute(MAYBE, { more: 1 })).data?.invoice?.total).toBe(2);
});

it('a typed string object determines the types too', async () => {
  const document = new TypedDocumentString<Invoice, { id: string }>(TEXT);
  const result = await as().execute(document, { id: '7' });
  expectTypeOf(result).toEqualTypeOf<TestResult<Invoice>>();
  expect(result.data?.invoice?.id).toBe('7');
  // @ts-expect-error the id is required
  expect((await as().execute(document)).code).toBe('BAD_USER_INPUT');
});

it('an untyped document gives untyped data', async () => {
  const result = await as().execute(TEXT, { id: '7' });
  expectTypeOf(result.data).toBeAny();
  expect(result.data.invoice.total).toBe(1);
  const parsed = await as().execute(parse(TEXT), { id: '7' });
  expectTypeOf(parsed.data).toBeAny();
  const typed = await anonymous.execute<Invoice>('{ invoice(id: 1) { id total } }');
  expectTypeOf(typed.data).toEqualTypeOf<Invoice | null | undefined>();
  expect(typed.reason).toBe('MISSING_TOKEN');
});

it('a typed document determines the type of subscription events', () => {
  const document: TypedDocumentNode<Invoice, { id: string }> = parse(
    'subscription { invoice(id: 1) { id total } }',
  );
  const open = () => as().subscribe(document, { id: '7' });
  expectTypeOf<Awaited<ReturnType<Awaited<ReturnType<typeof open>>['next']>>['value']>().toExtend<
    TestResult<Invoice> | undefined
  >();
});
