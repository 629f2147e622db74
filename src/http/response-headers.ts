// Headers that every GraphQL answer carries.

/** Answers may hold tokens or somebody's data: nobody in between keeps them (RFC 6749, section 5.1). */
export const RESPONSE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Credentials come in a header that no browser adds by itself, so any origin may ask. */
export const CORS = {
  origin: '*',
  credentials: false,
  exposedHeaders: ['WWW-Authenticate', 'Retry-After'],
};
