/** RFC 8628. For native apps alone: a device without a browser of its own runs a program, and no server or web page. */
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

/**
 * The kinds of OAuth clients, as their developers choose them. web: a server that keeps a secret; spa and native:
 * public; service: acts for itself, without a person.
 */
export const APP_KINDS = {
  web: { confidential: true, grantTypes: ['authorization_code', 'refresh_token'] },
  spa: { confidential: false, grantTypes: ['authorization_code', 'refresh_token'] },
  native: { confidential: false, grantTypes: ['authorization_code', 'refresh_token', DEVICE_CODE] },
  service: { confidential: true, grantTypes: ['client_credentials'] },
} as const satisfies Record<string, { confidential: boolean; grantTypes: readonly string[] }>;

export type AppKind = keyof typeof APP_KINDS;

export const APP_KIND_NAMES = Object.keys(APP_KINDS) as AppKind[];

/** How an app proves itself at the token endpoint (RFC 7591 §2): by its keys if it has any, else by a secret if it can keep one. */
export function authMethodOf({
  kind,
  jwks,
  jwksUri,
}: {
  kind: AppKind;
  jwks: object | undefined;
  jwksUri: string | undefined;
}): 'client_secret_basic' | 'private_key_jwt' | 'none' {
  if (!APP_KINDS[kind].confidential) return 'none';
  return jwks || jwksUri ? 'private_key_jwt' : 'client_secret_basic';
}
