/**
 * What an app binds itself to. fapi2: the Security Profile of FAPI 2.0, by which each authorization request is pushed (RFC 9126),
 * each access token is bound to a key (DPoP, RFC 9449), and the app proves itself by private_key_jwt to the issuer alone.
 */
export const SECURITY_PROFILES = ['standard', 'fapi2'] as const;

export type SecurityProfile = (typeof SECURITY_PROFILES)[number];
