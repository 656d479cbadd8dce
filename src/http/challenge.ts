import { DPOP_ALGORITHMS } from '../../config/jwa.ts';
import type { AppError, ErrorCode } from '../kernel/errors.ts';

/** RFC 6750 §3.1's codes. What is absent here carries a challenge without `error`: nothing was presented, or none fits. */
const BEARER_ERRORS: Partial<Record<ErrorCode, string>> = {
  credential_in_url: 'invalid_request',
  multiple_credentials: 'invalid_request',
  invalid_credential: 'invalid_token',
  credential_expired: 'invalid_token',
  credential_revoked: 'invalid_token',
  insufficient_scope: 'insufficient_scope',
};

/**
 * The WWW-Authenticate header of an API error (RFC 6750 §3, RFC 9449 §7.1), undefined where it takes none. In the scheme that
 * the caller used or has to use; in both where it used none. `resource_metadata` (RFC 9728 §5.1) tells a client that
 * knows nothing of us where to begin. `authorization`: the request's header.
 */
export function challengeFor(error: AppError, apiUrl: string, authorization = ''): string | undefined {
  const bearerError = BEARER_ERRORS[error.code];
  if (error.status !== 401 && error.status !== 403 && bearerError === undefined) return undefined;
  const { requiredScopes, dpopError } = error.extras;
  const code = dpopError ?? bearerError;
  const scope = requiredScopes?.join(' ');
  const parameters = {
    ...(code ? { error: code, error_description: error.detail } : {}),
    ...(scope ? { scope } : {}),
    resource_metadata: `${apiUrl}/.well-known/oauth-protected-resource`,
  };
  const algs = { algs: DPOP_ALGORITHMS.join(' ') };
  if (dpopError !== undefined || /^dpop\s/i.test(authorization))
    return challenge('DPoP', { ...parameters, ...algs });
  const bearer = challenge('Bearer', parameters);
  return error.code === 'missing_credential' ? `${bearer}, ${challenge('DPoP', algs)}` : bearer;
}

const challenge = (scheme: string, parameters: Record<string, string>): string =>
  `${scheme} ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${quotable(value)}"`)
    .join(', ')}`;

/** RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E. */
const quotable = (text: string): string => text.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '?');
