// Scenes to measure, and checks that each contender allows and denies the right fields.
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { type DocumentNode, type ExecutionResult, type GraphQLSchema, parse, validate } from 'graphql';
import {
  type Caller,
  CONTENDERS,
  type Contender,
  type ContenderName,
  type ContenderOptions,
  createCaller,
  createContenders,
} from './contenders.ts';
import {
  ALL_SCOPES,
  closedToSome,
  createData,
  type LeafTest,
  oneInFour,
  range,
  SOME_SCOPES,
  writeQuery,
} from './queries.ts';

export interface Scene {
  title: string;
  caller: Caller;
  onDenied: ContenderOptions['onDenied'];
  /** Which fields of a query of `size` are selected in their closed form. */
  isClosed: (size: number) => LeafTest;
  /** Which of them the caller is denied. */
  isDenied: (size: number) => LeafTest;
}

/** One request of a scene, which can be repeated. */
export type Run = () => ExecutionResult | Promise<ExecutionResult>;
export type Runs = Record<ContenderName, Run>;

const all = () => () => true;
const none = () => () => false;
const one = (size: number) => (index: number) => index === Math.floor(size / 2);
const anonymous = createCaller();

export const ALLOWED: Scene = {
  title: 'allowed',
  caller: createCaller(ALL_SCOPES),
  onDenied: 'reject',
  isClosed: () => oneInFour,
  isDenied: none,
};
export const ONE_DENIED: Scene = {
  title: 'denied, one protected',
  caller: anonymous,
  onDenied: 'reject',
  isClosed: one,
  isDenied: one,
};
export const ALL_DENIED: Scene = {
  title: 'denied, all protected',
  caller: anonymous,
  onDenied: 'reject',
  isClosed: all,
  isDenied: all,
};
export const MIXED: Scene = {
  title: 'mixed',
  caller: createCaller(SOME_SCOPES),
  onDenied: 'null',
  isClosed: () => oneInFour,
  isDenied: () => closedToSome,
};

/**
 * Prepares a scene for each size. The document is parsed and validated once, as with Yoga's cache of documents.
 *
 * @throws AssertionError if the result of a contender is not that of the scene
 */
export async function prepareScene(
  schema: GraphQLSchema,
  scene: Scene,
  sizes: readonly number[],
): Promise<{ deciding: Runs; executing: Runs }[]> {
  const deciding = createContenders(schema, { onDenied: scene.onDenied, executes: false });
  const executing = createContenders(schema, { onDenied: scene.onDenied, executes: true });
  const prepared: { deciding: Runs; executing: Runs }[] = [];
  for (const size of sizes) {
    const document = parseAndValidate(schema, writeQuery(size, scene.isClosed(size)));
    const data = createData(size);
    const complete = copy(await executing.neither(document, scene.caller, data));
    const prepare = (contenders: Record<ContenderName, Contender>, rootValue: () => unknown) => {
      const runOf = (name: ContenderName): Run => {
        const root = rootValue();
        return () => contenders[name](document, scene.caller, root);
      };
      return { neither: runOf('neither'), guard: runOf('guard'), 'generic-auth': runOf('generic-auth') };
    };
    const runs = {
      // Each has a copy, because generic-auth writes its nulls into the result.
      deciding: prepare(deciding, () => structuredClone(complete)),
      executing: prepare(executing, () => data),
    };
    for (const name of CONTENDERS) {
      check(scene, size, complete, name, await runs.executing[name]());
      // With 'null', execution removes the denied fields.
      if (scene.onDenied === 'reject') check(scene, size, complete, name, await runs.deciding[name]());
    }
    prepared.push(runs);
  }
  return prepared;
}

/** @returns a new document, which no contender has cached */
export function parseAndValidate(schema: GraphQLSchema, text: string): DocumentNode {
  const document = parse(text);
  deepStrictEqual(validate(schema, document), []);
  return document;
}

function check(
  { title, onDenied, isDenied }: Scene,
  size: number,
  complete: ExecutionResult,
  name: ContenderName,
  result: ExecutionResult,
): void {
  const message = `${name}: ${title}, ${size} fields`;
  const denied = name === 'neither' ? [] : range(size).filter(isDenied(size));
  strictEqual(result.errors?.length ?? 0, denied.length, message);
  if (denied.length > 0 && onDenied === 'reject') {
    strictEqual(result.data ?? null, null, message);
    return;
  }
  const values = new Set(denied.map((index) => `closed ${index}`));
  const expected = JSON.parse(JSON.stringify(complete.data), (_, value) =>
    values.has(value) ? null : value,
  );
  deepStrictEqual(copy(result).data, expected, message);
}

function copy(result: ExecutionResult): ExecutionResult {
  return JSON.parse(JSON.stringify(result));
}
