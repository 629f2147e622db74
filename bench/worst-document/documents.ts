// The most expensive known requests of 100 kB or less, of every kind.

export interface WorstRequest {
  name: string;
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  /** Sent unchanged instead of a JSON operation. */
  raw?: { type: string; body: string };
}

const repeat = (count: number, part: (i: number) => string, separator = ' ') =>
  Array.from({ length: count }, (_, i) => part(i)).join(separator);

/** 100 root fields that share a fragment. */
const hundred = (field: string, type: string, selections: string) =>
  `{ ${repeat(100, (i) => `a${i}: ${field} { ...F }`)} } fragment F on ${type} { ${selections} }`;
const aliases = (count: number, field: string) => repeat(count, (i) => `b${i}: ${field}`);

/** As many fields as `maxCost` allows. */
const ACCEPTED: WorstRequest[] = [
  { name: 'viewer, 19,900 scalars', query: hundred('viewer', 'User', aliases(198, 'id')) },
  {
    name: 'viewer, 19,900 scalars with a condition',
    query: hundred('viewer', 'User', aliases(198, 'id @include(if: true)')),
  },
  { name: 'viewer, 19,900 dates', query: hundred('viewer', 'User', aliases(198, 'createdAt')) },
  { name: 'viewer, 3,300 lists of scalars', query: hundred('viewer', 'User', aliases(33, 'roles')) },
  { name: 'secureData, 9,900 users', query: hundred('secureData', 'SecureData', aliases(99, 'user { id }')) },
  { name: 'one viewer, 3,300 aliases', query: `{ viewer { ${aliases(3_300, 'id')} } }` },
  { name: 'one viewer, 9,990 times one field', query: `{ viewer { ${repeat(9_990, () => 'id')} } }` },
  { name: 'sessions, 100 with 199 dates each', query: `{ sessions { ${aliases(199, 'createdAt')} } }` },
  { name: 'sessions, 100 with 199 texts each', query: `{ sessions { ${aliases(199, 'userAgent')} } }` },
  { name: 'sessions, 99 times 100', query: `{ ${repeat(99, (i) => `a${i}: sessions { id }`)} }` },
  {
    name: 'fragments in a chain',
    query: `{ ...F0 } ${repeat(98, (i) => `fragment F${i} on Query { ...F${i + 1} a${i}: viewer { ${aliases(20, 'id')} } }`)} fragment F98 on Query { __typename }`,
  },
  {
    name: 'inline fragments within each other',
    query: `{ viewer { ${repeat(52, () => `${'...{ '.repeat(60)} id ${'}'.repeat(60)}`)} } }`,
  },
  {
    name: 'conditions within each other',
    query: `query (${repeat(60, (i) => `$v${i}: Boolean = true`)}) { ${repeat(10, (j) => `${repeat(60, (i) => `... @include(if: $v${i}) {`)} a${j}: secureData { message } ${'}'.repeat(60)}`)} }`,
  },
  {
    name: 'introspection, 9,900 fields',
    query: `{ ${repeat(16, (i) => `a${i}: __schema { types { ...T } }`)} } fragment T on __Type { ${aliases(20, 'description')} }`,
  },
  {
    name: 'introspection of fields',
    query: `{ ${repeat(10, (i) => `a${i}: __schema { types { fields { name description args { name defaultValue type { name } } type { name kind ofType { name } } } } }`)} }`,
  },
  {
    name: '100 sign-ins',
    query: `mutation { ${repeat(100, (i) => `a${i}: login(email: "a${i}@example.com", password: "wrong password") { tokenType }`)} }`,
  },
  {
    name: '1,200 operations',
    query: repeat(1_200, (i) => `query Q${i} { viewer { id } }`),
    operationName: 'Q1199',
  },
];

/** Rejected, which takes time too. */
const REJECTED: WorstRequest[] = [
  { name: '1,000 times one root field', query: `{ ${repeat(1_000, () => 'viewer { id }')} }` },
  { name: '2,490 times one root field', query: `{ ${repeat(2_490, () => 'viewer { id }')} }` },
  {
    name: '1,200 duplicates in duplicates',
    query: `{ ${repeat(1_200, () => 'secureData { user { id } }')} }`,
  },
  {
    name: '800 fragments',
    query: `{ ${repeat(800, (i) => `...F${i}`)} } ${repeat(800, (i) => `fragment F${i} on Query { viewer { id } }`)}`,
  },
  {
    name: '600 fragments in duplicates',
    query: `{ ${repeat(600, (i) => `viewer { ...F${i} }`)} } ${repeat(600, (i) => `fragment F${i} on User { id }`)}`,
  },
  {
    name: '800 fragments in a chain',
    query: `{ ...F0 } ${repeat(800, (i) => `fragment F${i} on Query { ...F${i + 1} viewer { id } }`)} fragment F800 on Query { viewer { id } }`,
  },
  {
    name: 'fragments that multiply',
    query: `{ viewer { ...F0 } } ${repeat(600, (i) => `fragment F${i} on User { ...F${i + 1} ...F${i + 1} }`)} fragment F600 on User { id }`,
  },
  {
    name: 'fields to compare',
    query: `{ ${repeat(300, (i) => `x${i}: viewer { ...W y${i}: id }`)} } fragment W on User { ${aliases(300, 'id')} }`,
  },
  { name: '20,100 fields', query: hundred('secureData', 'SecureData', aliases(100, 'user { id }')) },
  {
    name: 'introspection, 110 aliases on three levels',
    query: `{ __schema { ${repeat(110, (i) => `a${i}: types { ...T }`)} } } fragment T on __Type { ${repeat(110, (i) => `b${i}: fields { ...F }`)} } fragment F on __Field { ${aliases(110, 'name')} }`,
  },
  {
    name: '480 mutations with arguments',
    query: `mutation { ${repeat(480, () => 'login(email: "a", password: "b") { tokenType user { id } }')} }`,
  },
  { name: 'unknown fields', query: `{ ${repeat(9_990, (i) => `f${i}`)} }` },
  { name: 'unknown fields with long names', query: `{ ${repeat(110, (i) => `f${i}${'x'.repeat(880)}`)} }` },
  { name: 'unknown fields, one a line', query: `{ ${repeat(999, (i) => `f${i}${'x'.repeat(60)}`, '\n')} }` },
  {
    name: 'conflicts',
    query: `{ ${repeat(1_000, (i) => `a${i % 400}: viewer { id } `)} ${repeat(400, (i) => `a${i}: secureData { message }`)} }`,
  },
  {
    name: 'fragments that contain each other',
    query: `{ ...F0 } ${repeat(1_100, (i) => `fragment F${i} on Query { ...F${i + 1} }`)} fragment F1100 on Query { ${repeat(150, (i) => `...F${i}`)} }`,
  },
  {
    name: 'unused fragments',
    query: `{ viewer { id } } ${repeat(850, (i) => `fragment F${i} on Query { viewer { id } }`)}`,
  },
  {
    name: 'operations and fragments with variables',
    query: `${repeat(200, (i) => `query Q${i}($a: Boolean!) { ...F0 }`)} ${repeat(350, (i) => `fragment F${i} on Query { ...F${i + 1} @include(if: $a) }`)} fragment F350 on Query { viewer { id } }`,
    operationName: 'Q0',
  },
  { name: 'unused variables', query: `query (${repeat(2_400, (i) => `$v${i}: Int`)}) { viewer { id } }` },
  { name: 'repeated directives', query: `{ viewer { id ${repeat(1_400, () => '@include(if: true)')} } }` },
  {
    name: 'a long literal list',
    query: `mutation { login(email: [${repeat(9_900, () => '1', ',')}], password: "x") { tokenType } }`,
  },
  {
    name: 'a long literal object',
    query: `mutation { login(email: { ${repeat(3_000, (i) => `a${i}: 1`)} }, password: "x") { tokenType } }`,
  },
  {
    name: 'a long text',
    query: `mutation { login(email: "${'\\u0041'.repeat(13_000)}", password: 1) { tokenType } }`,
  },
  { name: 'brackets', query: '{a'.repeat(40_000) },
  { name: 'lines', query: `{${'\n'.repeat(48_000)}` },
  { name: 'a comment', query: `{ nowhere } #${'x'.repeat(95_000)}` },
  { name: 'a syntax error at the end', query: `{ viewer { ${repeat(9_980, () => 'id')} }` },
];

/** Expensive variables and bodies. */
const BODIES: WorstRequest[] = [
  {
    name: '650 variables that are missing',
    query: `query (${repeat(650, (i) => `$v${i}: Boolean!`)}) { viewer { ${repeat(650, (i) => `id @skip(if: $v${i})`)} } }`,
  },
  {
    name: '650 variables that are missing, one a line',
    query: `query (${repeat(650, (i) => `$v${i}: Boolean! ${' '.repeat(60)}`, '\n')}) { viewer { ${repeat(650, (i) => `id @skip(if: $v${i})`)} } }`,
  },
  {
    name: '650 variables that are missing, on one long line',
    query: `query (${repeat(650, (i) => `$v${i}: Boolean! ${' '.repeat(60)}`)}) { viewer { ${repeat(650, (i) => `id @skip(if: $v${i})`)} } }`,
  },
  {
    name: 'a variable of 45,000 lists within each other',
    query: 'query ($v: String!) { viewer { id } __type(name: $v) { name } }',
    raw: {
      type: 'application/json',
      body: `{"query":"query ($v: String!) { __type(name: $v) { name } }","variables":{"v":${'['.repeat(45_000)}${']'.repeat(45_000)}}}`,
    },
  },
  {
    name: 'a variable with a long list',
    query: 'query ($v: String!) { __type(name: $v) { name } }',
    variables: { v: Array.from({ length: 24_000 }, () => 1) },
  },
  {
    name: '6,000 unknown variables',
    query: '{ viewer { id } }',
    variables: Object.fromEntries(Array.from({ length: 6_000 }, (_, i) => [`v${i}`, i])),
  },
  { name: 'JSON without an end', query: '', raw: { type: 'application/json', body: '['.repeat(99_000) } },
  {
    name: 'a form with 30,000 keys',
    query: '',
    raw: { type: 'application/x-www-form-urlencoded', body: repeat(30_000, () => 'a=', '&') },
  },
  {
    name: 'a form with an escaped query',
    query: '',
    raw: { type: 'application/x-www-form-urlencoded', body: `query=${'%7Ba'.repeat(24_000)}` },
  },
  {
    name: 'text of one operation',
    query: '',
    raw: { type: 'application/graphql', body: `{ viewer { ${repeat(9_980, () => 'id')} }` },
  },
  {
    name: 'a multipart body of 1,500 parts',
    query: '',
    raw: {
      type: 'multipart/form-data; boundary=x',
      body: `${repeat(1_500, (i) => `--x\r\nContent-Disposition: form-data; name="${i}"\r\n\r\n\r\n`, '')}--x--\r\n`,
    },
  },
  {
    name: 'a batch',
    query: '',
    raw: { type: 'application/json', body: `[${repeat(4_000, () => '{"query":"{a}"}', ',')}]` },
  },
];

export const WORST_REQUESTS: readonly WorstRequest[] = [...ACCEPTED, ...REJECTED, ...BODIES];
