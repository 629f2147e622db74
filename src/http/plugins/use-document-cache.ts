// Keeps parsed and validated documents, bounded by the bytes that they retain. It takes the place of Yoga's own cache, whose
// 1,024 entries have no size: some hundred requests with long documents would end the process.
import { type DocumentNode, GraphQLError, type GraphQLSchema, type Source } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Log } from '../../utils/log.ts';
import { documentBytes, dropStack, errorBytes } from '../documents/document-bytes.ts';
import { createSeenCache } from '../documents/seen-cache.ts';
import { findYogaDocumentCache, replacePlugin } from '../yoga-internals.ts';

/** Bytes of documents sent once: one of 10,000 tokens fits, which a request may look up twice. */
const MAX_BYTES_SEEN_ONCE = 6_000_000;
/** Bytes of documents sent again: some hundreds of usual length. */
const MAX_BYTES_SEEN_TWICE = 10_000_000;

/** In the context of a parse or validation by the fast path, which the Yoga handler may repeat for the same request. */
export const IS_PREPARATION = Symbol('preparation');

export interface DocumentCacheOptions {
  /** @default 6,000,000 */
  maxBytesSeenOnce?: number;
  /** @default 10,000,000 */
  maxBytesSeenTwice?: number;
  log?: Pick<Log, 'warn'>;
}

/** Replaces the cache of the Yoga server that it is given to. A server with `parserAndValidationCache: false` stays without. */
export function useDocumentCache({ log, ...limits }: DocumentCacheOptions = {}): Plugin {
  const isYogaDocumentCache = findYogaDocumentCache();
  return {
    onPluginInit({ plugins }) {
      if (isYogaDocumentCache === undefined) {
        log?.warn(
          {},
          'unknown version of graphql-yoga; its document cache is bounded by count, not by bytes',
        );
        return;
      }
      replacePlugin(plugins, isYogaDocumentCache, () => createDocumentCache(limits).plugin);
    },
  };
}

interface ParsedText {
  text: string;
  outcome: DocumentNode | GraphQLError;
  bytes: number;
  /** By schema and the names of the validation rules. */
  results: WeakMap<GraphQLSchema, Map<string, readonly Error[]>>;
}

/** A cache for one server: another one may parse and validate the same text differently. */
export function createDocumentCache({
  maxBytesSeenOnce = MAX_BYTES_SEEN_ONCE,
  maxBytesSeenTwice = MAX_BYTES_SEEN_TWICE,
}: DocumentCacheOptions = {}) {
  const cache = createSeenCache<ParsedText>({ maxBytesSeenOnce, maxBytesSeenTwice });
  const parsed = new WeakMap<DocumentNode, ParsedText>();

  function store(text: string, outcome: unknown, uses: 0 | 1): void {
    const isError = outcome instanceof GraphQLError;
    if (!isError && (outcome === null || outcome instanceof Error)) return; // unexpected errors keep their stack, for the log
    if (isError) dropStack(outcome);
    const document = outcome as DocumentNode | GraphQLError; // the result of a parse is nothing else
    const bytes = isError ? errorBytes([outcome]) : documentBytes(document as DocumentNode);
    const entry: ParsedText = { text, outcome: document, bytes, results: new WeakMap() };
    cache.set(text, entry, bytes, uses);
    if (!isError) parsed.set(document as DocumentNode, entry);
  }

  const plugin: Plugin = {
    onParse({ context, params, setParsedDocument, setParseFn }) {
      const text = textOf(params.source);
      const cached = cache.get(text)?.outcome;
      if (cached === undefined) {
        const uses = IS_PREPARATION in context ? 0 : 1;
        return ({ result }) => store(text, result, uses);
      }
      if (!(cached instanceof GraphQLError)) setParsedDocument(cached);
      // Not thrown here: then the hooks of other plugins would not receive it.
      else {
        setParseFn(() => {
          throw cached;
        });
      }
    },
    onValidate({ params: { schema, documentAST, rules }, setResult }) {
      const entry = parsed.get(documentAST);
      if (entry === undefined || schema == null) return;
      const key = rules?.map((rule: { name: string }) => rule.name).join() ?? '';
      const resultsByRules = entry.results.get(schema) ?? new Map<string, readonly Error[]>();
      const cached = resultsByRules.get(key);
      if (cached !== undefined) {
        setResult(cached);
        return;
      }
      return ({ result }) => {
        for (const error of result) dropStack(error);
        entry.results.set(schema, resultsByRules.set(key, result));
        entry.bytes += errorBytes(result);
        cache.resize(entry.text, entry, entry.bytes);
      };
    },
  };
  return { plugin, cache };
}

function textOf(source: string | Source): string {
  return typeof source === 'string' ? source : source.body;
}
