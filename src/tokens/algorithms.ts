// The signing algorithms: a new one is a row here and its vectors in the tests.

/** JWS algorithms for access tokens (RFC 7518, RFC 8037): all asymmetric, so a public key never signs. */
export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const;

export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** Whether the name is one of the algorithms that Bandha signs with and accepts. */
export function isSigningAlgorithm(name: unknown): name is SigningAlgorithm {
  return SIGNING_ALGORITHMS.some((algorithm) => algorithm === name);
}
