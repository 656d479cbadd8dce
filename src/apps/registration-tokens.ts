/** Promises to secret scanners: they never change. See docs/secrets.md. */

/** Of an app that registered itself, for its own changes (RFC 7592). */
export const REGISTRATION_TOKEN_PREFIX = 'reg_';

/** Of the operator, for whoever may register apps (RFC 7591). */
export const INITIAL_TOKEN_PREFIX = 'iat_';
