// The signing algorithms: a new one is a row here and its vectors in the tests.

/** JWS algorithms of Bandha's own access tokens (RFC 7518, RFC 8037): all asymmetric, so a public key never signs. */
export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const satisfies readonly SigningAlgorithm[];

/** A JWS algorithm of Bandha's own access tokens. */
export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'RS256';

/**
 * JWS algorithms that tokens of other issuers may have: every asymmetric one that jose verifies. HS256, HS384 and HS512 are
 * left out, since a verifier that knows the secret could sign too, and so is `none`.
 *
 * `Ed25519` (RFC 9864) and `EdDSA` (RFC 8037) are the same signature under two names. As in jose each name stands for itself:
 * a token's `alg` must be listed, and equal the `alg` of its key if the key has one. An issuer that moves from one name to the
 * other needs both in the list.
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

/** Whether Bandha signs with the algorithm of this name. */
export function isSigningAlgorithm(name: unknown): name is SigningAlgorithm {
  return SIGNING_ALGORITHMS.some((algorithm) => algorithm === name);
}

/** Whether a verifier may accept the algorithm of this name. */
export function isVerificationAlgorithm(name: unknown): name is VerificationAlgorithm {
  return VERIFICATION_ALGORITHMS.some((algorithm) => algorithm === name);
}
