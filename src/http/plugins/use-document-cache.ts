// Caches parsed and validated documents, bounded by the bytes that they retain. It replaces Yoga's own cache, which is bounded
// by 1,024 entries of any size: some hundred requests with long documents would exhaust memory.
import { type DocumentNode, GraphQLError, type GraphQLSchema, type Source } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Log } from '../../utils/log.ts';
import { documentBytes, dropStack, errorBytes } from '../documents/document-bytes.ts';
import { createSeenCache } from '../documents/seen-cache.ts';
import { findYogaDocumentCache, replacePlugin } from '../yoga-internals.ts';

/** Maximum bytes of documents sent once. One document of 10,000 tokens fits, because a request may look it up twice. */
const MAX_BYTES_SEEN_ONCE = 6_000_000;
/** Maximum bytes of documents sent again: some hundreds of usual length. */
const MAX_BYTES_SEEN_TWICE = 10_000_000;

/** Marks the context of a parse or validation by the fast path. The Yoga handler may repeat it for the same request. */
export const IS_PREPARATION = Symbol('preparation');

export interface DocumentCacheOptions {
  /** Maximum bytes of documents sent once. @default 6_000_000 */
  maxBytesSeenOnce?: number;
  /** Maximum bytes of documents sent again. @default 10_000_000 */
  maxBytesSeenTwice?: number;
  /** Receives a warning if this version of Yoga has no cache that can be replaced. */
  log?: Pick<Log, 'warn'>;
}

/** Replaces the cache of each Yoga server that it is a plugin of. A server with `parserAndValidationCache: false` gets no cache. */
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
  /** Validation results by schema and by the names of the validation rules. */
  results: WeakMap<GraphQLSchema, Map<string, readonly Error[]>>;
}

/** Creates the cache of one server, because another server may parse and validate the same text differently. */
export function createDocumentCache({
  maxBytesSeenOnce = MAX_BYTES_SEEN_ONCE,
  maxBytesSeenTwice = MAX_BYTES_SEEN_TWICE,
}: DocumentCacheOptions = {}) {
  const cache = createSeenCache<ParsedText>({ maxBytesSeenOnce, maxBytesSeenTwice });
  const parsed = new WeakMap<DocumentNode, ParsedText>();

  function store(text: string, outcome: unknown, uses: 0 | 1): void {
    const isError = outcome instanceof GraphQLError;
    if (!isError && (outcome === null || outcome instanceof Error)) return; // unexpected errors keep their stack for the log, so they are not cached
    if (isError) dropStack(outcome);
    const document = outcome as DocumentNode | GraphQLError; // a parser gives nothing else
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
      // The parse function throws it, because an error thrown here would skip the hooks of other plugins.
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
