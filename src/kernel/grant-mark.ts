import { hash } from 'node:crypto';

/**
 * What an access token's `jti` ends with, to say which grant it is under. Exact where times are not: a token of a grant that was
 * withdrawn stays dead when the person allows the same app again a moment later. Says nothing to others.
 */
export const grantMark = (grantId: string): string => hash('sha256', grantId, 'base64url').slice(0, 16);

/** Whether a token with this id was given under the grant. */
export const isUnderGrant = (jti: string, grantId: string): boolean => jti.endsWith(`.${grantMark(grantId)}`);
