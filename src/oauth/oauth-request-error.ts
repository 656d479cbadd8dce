/** A body that isn't a form, at an endpoint that answers as RFC 6749 §5.2 says: 400 invalid_request. */
export class OAuthRequestError extends Error {
  override readonly name = 'OAuthRequestError';
}
