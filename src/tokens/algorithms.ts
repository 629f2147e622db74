// Signing algorithms. A new one is a row here, with its vectors in the tests.

/** JWS algorithms of Bandha's own access tokens (RFC 7518, RFC 8037). All are asymmetric, so that a verifier cannot sign. */
export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const satisfies readonly SigningAlgorithm[];

/** A JWS algorithm of Bandha's own access tokens. */
export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'RS256';

/**
 * JWS algorithms that tokens of other issuers may have: every asymmetric one that jose verifies. `none` is left out, and so are
 * HS256, HS384 and HS512, because a verifier that has the secret could sign too.
 *
 * `Ed25519` (RFC 9864) and `EdDSA` (RFC 8037) are two names of one algorithm. As in jose, each name counts only for itself: a
 * token's `alg` must be listed, and must equal the `alg` of its key if the key has one. List both while an issuer moves from one
 * name to the other.
 */
export const VERIFICATION_ALGORITHMS = [
  ...(['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512'] as const),
  ...(['PS256', 'PS384', 'PS512', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const),
] as const satisfies readonly VerificationAlgorithm[];

/** A JWS algorithm that tokens of other issuers may have. */
export type VerificationAlgorithm =
  | 'EdDSA'
  | 'Ed25519'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ML-DSA-44'
  | 'ML-DSA-65'
  | 'ML-DSA-87';

/** @returns whether Bandha signs with this algorithm */
export function isSigningAlgorithm(name: unknown): name is SigningAlgorithm {
  return SIGNING_ALGORITHMS.some((algorithm) => algorithm === name);
}

/** @returns whether a verifier may accept this algorithm */
export function isVerificationAlgorithm(name: unknown): name is VerificationAlgorithm {
  return VERIFICATION_ALGORITHMS.some((algorithm) => algorithm === name);
}
