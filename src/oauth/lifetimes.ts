/** How long things live, in seconds. */
export const ACCESS_TOKEN_SECONDS = 3600;
export const AUTHORIZATION_CODE_SECONDS = 60;
export const LONGEST_ASSERTION_SECONDS = 3600;
/** For finding one's phone, opening a page and signing in. */
export const DEVICE_CODE_SECONDS = 600;
export const INTERACTION_SECONDS = 3600;
export const SESSION_SECONDS = 14 * 86_400;
/** A grant outlives every token under it; it ends when it is withdrawn. */
export const GRANT_SECONDS = 10 * 365 * 86_400;

const REFRESH_IDLE_SECONDS = 30 * 86_400;
const REFRESH_TOTAL_SECONDS = 90 * 86_400;

/** What is left to a refresh token whose family is `ageSeconds` old: 30 days from this use, 90 from the first. */
export const refreshTokenSeconds = (ageSeconds: number): number =>
  Math.max(1, Math.min(REFRESH_IDLE_SECONDS, REFRESH_TOTAL_SECONDS - ageSeconds));
