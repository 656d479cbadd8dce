/** How a DPoP proof may be signed (RFC 9449 §4.2: asymmetric, never `none`). */
export const DPOP_ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA', 'PS256'] as const;

/** How an app may sign what proves it (private_key_jwt). Nothing symmetric: its secret is kept as a hash. */
export const ASSERTION_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'] as const;
