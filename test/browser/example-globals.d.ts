// What the entries add to the page.

/** Asks for the secure data so many times at once; gives each message, or what went wrong. */
declare var sendMany: (times: number) => Promise<string[]>;

/** Where the server is; stands in for what the environment would say when the page is built. */
declare var bandhaUrl: string;
