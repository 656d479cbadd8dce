import { isDatabaseUnavailable } from '../kernel/database-failure.ts';
import { AppError, type ErrorCode } from '../kernel/errors.ts';

const DATABASE_RETRY_SECONDS = 2;

/** What the errors that Koa and body readers make (`status`, `expose`) are to the outside. */
const BY_STATUS: Record<number, [ErrorCode, string]> = {
  400: ['bad_request', 'The request is malformed.'],
  403: ['forbidden', 'This is not allowed.'],
  404: ['not_found', 'There is nothing here.'],
  405: ['method_not_allowed', 'This method is not allowed here.'],
  409: ['conflict', 'The request conflicts with the present state.'],
  413: ['payload_too_large', 'The body is too large.'],
  415: ['unsupported_media_type', 'The body has a media type, charset or encoding that is not supported.'],
  422: ['validation_failed', 'The request is not valid.'],
};

/** Any error as one that the outside may see. What isn't meant for it becomes 503 or 500, the error itself its `cause`. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { status, expose } = (error ?? {}) as { status?: unknown; expose?: unknown };
  if (expose === true && typeof status === 'number' && status >= 400 && status < 500) {
    const [code, detail] = BY_STATUS[status] ?? ['bad_request', 'The request is malformed.'];
    return new AppError(code, detail, {}, { cause: error });
  }
  if (isDatabaseUnavailable(error)) {
    return new AppError(
      'unavailable',
      'The service can not answer right now. Try again shortly.',
      { retryAfterSeconds: DATABASE_RETRY_SECONDS },
      { cause: error },
    );
  }
  return new AppError(
    'internal_error',
    'Something went wrong on our side. The requestId names this event in our logs.',
    {},
    { cause: error },
  );
}
