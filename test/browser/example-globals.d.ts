// Globals of the example's page in tests.

/** Queries the secure data `times` times at once. Returns each message or error. */
declare var sendMany: (times: number) => Promise<string[]>;

/** URL of the server; replaces `VITE_BANDHA_URL`, which is fixed when the page is built. */
declare var bandhaUrl: string;
