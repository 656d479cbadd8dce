import type { ErrorCode } from '../kernel/errors.ts';

/** What each error code means and what its reader can do about it. */
export const ERROR_GUIDE: Record<ErrorCode, { meaning: string; whatToDo: string }> = {
  bad_request: {
    meaning: 'The request could not be read as what it claims to be.',
    whatToDo: 'Look at detail: it names what is malformed. Sending the same request again will not help.',
  },
  credential_in_url: {
    meaning: 'A credential stood in the query string or the body, where logs and histories keep it.',
    whatToDo:
      'Replace that credential, since it may have been recorded, and send the new one in the Authorization header.',
  },
  multiple_credentials: {
    meaning: 'The request carried more than one credential, so it is not certain who is asking.',
    whatToDo: 'Send exactly one Authorization header. A proxy on the way may be adding a second one.',
  },
  missing_credential: {
    meaning: 'The request carried no credential.',
    whatToDo: 'Send Authorization: Bearer <credential> with an API key or an access token.',
  },
  invalid_credential: {
    meaning: 'The credential is not one that was issued here, or it was changed on the way.',
    whatToDo:
      'Check that it was copied whole and belongs to this service. Get a new token, or make a new key.',
  },
  credential_expired: {
    meaning: 'The credential was right once; its time is over.',
    whatToDo: 'Refresh the access token, or rotate the API key.',
  },
  credential_revoked: {
    meaning: 'The credential was withdrawn, or the person behind it lost the access that it rests on.',
    whatToDo: 'Ask the person to allow the app again, or make a new key.',
  },
  insufficient_scope: {
    meaning: 'The credential is good, but was not given a scope that this call needs.',
    whatToDo:
      'requiredScopes names what is missing. Ask for it when you request a token, or make a key that has it.',
  },
  ip_not_allowed: {
    meaning: 'The key may only be used from certain addresses, and this is not one of them.',
    whatToDo:
      'Call from an allowed address, or extend the allowlist: that of the key, or the organization’s where the key has none.',
  },
  https_required: {
    meaning:
      'The request came over plain HTTP. It was refused rather than redirected, since its credential was readable on the way.',
    whatToDo: 'Use https, and replace the credential that was sent.',
  },
  forbidden: {
    meaning: 'What was asked for is not allowed to this caller.',
    whatToDo: 'Look at detail. On a page: reload it and try again.',
  },
  not_found: {
    meaning:
      'There is no such thing here, or this credential may not know of it (another organization, the other environment).',
    whatToDo: 'Check the path, the id, and whether the credential is for the right environment.',
  },
  method_not_allowed: {
    meaning: 'The path exists, but not for this method.',
    whatToDo: 'The Allow header lists the methods that the path answers to.',
  },
  conflict: {
    meaning: 'The request contradicts the present state.',
    whatToDo: 'Read the resource again and decide anew.',
  },
  payload_too_large: {
    meaning: 'The body is larger than 1 MB.',
    whatToDo: 'Send less, or in several requests.',
  },
  unsupported_media_type: {
    meaning: 'The body is not in a format that this call reads.',
    whatToDo: 'Send JSON in UTF-8, with Content-Type: application/json.',
  },
  validation_failed: {
    meaning: 'The request was read, but some of its values are not allowed.',
    whatToDo: 'errors lists every fault with the path of its value. Mend them all, then send it again.',
  },
  rate_limited: {
    meaning: 'There were more requests than the limit allows.',
    whatToDo: 'Wait for as many seconds as Retry-After says; not less.',
  },
  internal_error: {
    meaning: 'Something failed on our side.',
    whatToDo: 'Try again later. If it stays, report the requestId.',
  },
  unavailable: {
    meaning: 'The service can not answer at the moment, for example while its database restarts.',
    whatToDo: 'Try again after as many seconds as Retry-After says.',
  },
};
