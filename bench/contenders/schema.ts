// One schema for all who speak GraphQL, the data behind it, and the answers that are right.

/** For those who bring no such directive. */
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
  note: `What only some may read of item ${i}`,
}));

export const dataResolvers = {
  Query: { record: () => record, items: () => items, guardedItems: () => items },
};
export const resolvers = { Query: { ...dataResolvers.Query, secureData: () => secureData } };

/** A query with the one answer that is right for a caller with a valid token. */
export interface Asked {
  query: string;
  answer: string;
}

function ask(query: string, data: object): Asked {
  return { query, answer: JSON.stringify({ data }) };
}

export const SECURE_QUERY = ask('{ secureData { message } }', { secureData });

export function sizedQuery(size: number): Asked {
  const names = range(size).map((i) => `f${i}`);
  const chosen = Object.fromEntries(names.map((name) => [name, record[name]]));
  return ask(`{ record { ${names.join(' ')} } }`, { record: chosen });
}

/** A list that is protected as a whole, and one with a protected field in each object. */
export const LIST_QUERIES = {
  whole: ask('{ guardedItems { id name price } }', {
    guardedItems: items.map(({ id, name, price }) => ({ id, name, price })),
  }),
  fields: ask('{ items { id name price note } }', { items }),
};
