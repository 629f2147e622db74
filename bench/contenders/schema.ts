// One schema for all GraphQL contenders, its data, and the expected responses.

/** For contenders without a directive of their own. */
export const DIRECTIVE = 'directive @authenticated on FIELD_DEFINITION | OBJECT';

export const SIZES = [1, 20, 100, 400, 2_000] as const;
const LARGEST = Math.max(...SIZES);
const ITEMS = 1_000;
/** One in four fields of a record is protected, the first among them. */
const PROTECTED_EVERY = 4;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

export const SECURE_DATA = `
  type Query { secureData: SecureData @authenticated }
  type SecureData { message: String! }
`;
export const RECORD_AND_ITEMS = `
  extend type Query { record: Record  items: [Item!]!  guardedItems: [Item!]! @authenticated }
  type Record {
    ${range(LARGEST)
      .map((i) => `f${i}: String ${i % PROTECTED_EVERY === 0 ? '@authenticated' : ''}`)
      .join('\n    ')}
  }
  type Item { id: ID!  name: String!  price: Float!  note: String @authenticated }
`;

const secureData = { message: 'Secure data access granted' };
const record = Object.fromEntries(range(LARGEST).map((i) => [`f${i}`, `value ${i}`]));
const items = range(ITEMS).map((i) => ({
  id: `item-${i}`,
  name: `Item number ${i}`,
  price: i + 0.5,
  note: `A note on item ${i} for signed-in users`,
}));

export const resolvers = {
  Query: {
    record: () => record,
    items: () => items,
    guardedItems: () => items,
    secureData: () => secureData,
  },
};

/** A query with the response body for a caller with a valid token. */
export interface ExpectedQuery {
  query: string;
  response: string;
}

function expectQuery(query: string, data: object): ExpectedQuery {
  return { query, response: JSON.stringify({ data }) };
}

export const SECURE_QUERY = expectQuery('{ secureData { message } }', { secureData });

export function sizedQuery(size: number): ExpectedQuery {
  const names = range(size).map((i) => `f${i}`);
  const selected = Object.fromEntries(names.map((name) => [name, record[name]]));
  return expectQuery(`{ record { ${names.join(' ')} } }`, { record: selected });
}

/** A list that is protected as a whole, and one with a protected field in each object. */
export const LIST_QUERIES = {
  whole: expectQuery('{ guardedItems { id name price } }', {
    guardedItems: items.map(({ id, name, price }) => ({ id, name, price })),
  }),
  fields: expectQuery('{ items { id name price note } }', { items }),
};
