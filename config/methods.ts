/**
 * How a caller proved who it is. `oauth_user`: a person acts, through an app, or by themselves at our own pages;
 * `client_credentials`: an app acts for itself.
 */
export const METHODS = ['api_key', 'oauth_user', 'client_credentials'] as const;

export type Method = (typeof METHODS)[number];
