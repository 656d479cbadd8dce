/** How a DPoP proof may be signed (RFC 9449 §4.2: asymmetric, never `none`). */
export const DPOP_ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA', 'PS256'] as const;
