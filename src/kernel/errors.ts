/**
 * Every error that the outside can see, with its status and title. An error is made here, thrown anywhere,
 * and rendered once (`http/problem.ts`). `detail` is for the caller and says what to do; what only the
 * operator may know goes into `cause`.
 */
export const ERRORS = {
  bad_request: { status: 400, title: 'Bad request' },
  credential_in_url: { status: 400, title: 'Credential in the URL' },
  multiple_credentials: { status: 400, title: 'More than one credential' },
  missing_credential: { status: 401, title: 'Missing credential' },
  invalid_credential: { status: 401, title: 'Invalid credential' },
  credential_expired: { status: 401, title: 'Credential expired' },
  credential_revoked: { status: 401, title: 'Credential revoked' },
  insufficient_scope: { status: 403, title: 'Insufficient scope' },
  ip_not_allowed: { status: 403, title: 'Address not allowed' },
  https_required: { status: 403, title: 'HTTPS required' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'Conflict' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  validation_failed: { status: 422, title: 'Validation failed' },
  rate_limited: { status: 429, title: 'Rate limited' },
  internal_error: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One fault of a body or a query: `path` as in "metadata.team", "" for the whole. */
export type FieldError = { path: string; message: string };

/** What some errors add, beside the members of RFC 9457. */
export type ErrorExtras = {
  requiredScopes?: string[];
  errors?: FieldError[];
  limit?: number;
  window?: 'second' | 'minute' | 'day';
  /** Whole seconds; becomes the Retry-After header too. */
  retryAfterSeconds?: number;
  /** The methods of a 405; becomes the Allow header. */
  allow?: string[];
  /** RFC 9449 §7.1: what the DPoP challenge says. */
  dpopError?: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce';
  /** Becomes the DPoP-Nonce header. */
  dpopNonce?: string;
};

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly extras: ErrorExtras;

  constructor(code: ErrorCode, detail: string, extras: ErrorExtras = {}, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.status = ERRORS[code].status;
    this.detail = detail;
    this.extras = extras;
  }
}

export const notFound = (): AppError =>
  new AppError('not_found', 'No such resource, or this credential may not see it.');
