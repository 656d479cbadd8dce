/** What access and id tokens can be signed with (RFC 7518 §3.1, RFC 8037 §3.1); an app has RS256 unless it chose. */
export const SIGNING_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];
