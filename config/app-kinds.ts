/**
 * The kinds of OAuth clients, as their developers choose them. web: a server that keeps a secret; spa and native:
 * public; service: acts for itself, without a person.
 */
export const APP_KINDS = {
  web: { confidential: true, grantTypes: ['authorization_code', 'refresh_token'] },
  spa: { confidential: false, grantTypes: ['authorization_code', 'refresh_token'] },
  native: { confidential: false, grantTypes: ['authorization_code', 'refresh_token'] },
  service: { confidential: true, grantTypes: ['client_credentials'] },
} as const satisfies Record<string, { confidential: boolean; grantTypes: readonly string[] }>;

export type AppKind = keyof typeof APP_KINDS;

export const APP_KIND_NAMES = Object.keys(APP_KINDS) as AppKind[];
