import type { Context } from 'koa';
import getRawBody from 'raw-body';
import { AppError, type FieldError } from '../kernel/errors.ts';

const LIMIT_BYTES = 1_048_576;
const DEEPEST = 32;
const MOST_FAULTS = 100; // enough to see what is wrong

/** Whether the request says that it has a body (RFC 9112 §6.3). */
export const hasBody = (ctx: Context): boolean =>
  ctx.req.headers['transfer-encoding'] !== undefined || (ctx.request.length ?? 0) > 0;

/**
 * The bytes of the body as text. Throws 413 over 1 MB (1,048,576 bytes), 415 for a compressed one, 400 for what isn't
 * UTF-8. Doesn't look at the media type.
 */
export async function readText(ctx: Context): Promise<string> {
  const encoding = ctx.get('Content-Encoding').toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new AppError('unsupported_media_type', 'Send the body without a Content-Encoding.');
  }
  const bytes = await getRawBody(ctx.req, { limit: LIMIT_BYTES, length: ctx.request.length ?? null }).catch(
    (error: unknown) => {
      if ((error as { type?: string }).type !== 'entity.too.large') throw error;
      throw new AppError(
        'payload_too_large',
        'The body may have at most 1 MB (1,048,576 bytes).',
        {},
        { cause: error },
      );
    },
  );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AppError('bad_request', 'The body is not valid UTF-8.', {}, { cause: error });
  }
}

/** Throws 415 unless the body is application/json, in UTF-8 if it says so at all. */
export function requireJson(ctx: Context): void {
  const [type = '', ...parameters] = ctx
    .get('Content-Type')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (type !== 'application/json' || (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json in UTF-8.');
  }
}

/**
 * Parses JSON (RFC 8259). Throws 400 when it isn't, or is nested deeper than 32; 422 when a text in it can't be kept:
 * NUL, half a surrogate pair, or a member named __proto__. Of members of one name the last counts.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('bad_request', 'The body is not valid JSON.', {}, { cause: error });
  }
  const faults: FieldError[] = [];
  inspect(value, [], faults);
  if (faults.length > 0)
    throw new AppError('validation_failed', 'The body holds texts that can not be kept.', { errors: faults });
  return value;
}

/** `path` is shared by all levels of the walk: each puts its own step on it and takes it off again. */
function inspect(value: unknown, path: string[], faults: FieldError[]): void {
  if (path.length > DEEPEST)
    throw new AppError('bad_request', `The body is nested deeper than ${DEEPEST} levels.`);
  if (typeof value === 'string') {
    const fault = textFault(value);
    if (fault) report(faults, path, fault);
  } else if (value !== null && typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      const fault = name === '__proto__' ? 'is no name for a member' : textFault(name);
      if (fault) report(faults, path, `has a member whose name ${fault}`);
      path.push(name);
      inspect(member, path, faults);
      path.pop();
    }
  }
}

function report(faults: FieldError[], path: readonly string[], message: string): void {
  if (faults.length < MOST_FAULTS) faults.push({ path: path.join('.'), message });
}

const textFault = (text: string): string | undefined =>
  text.includes('\0')
    ? 'holds a NUL character'
    : text.isWellFormed()
      ? undefined
      : 'holds half a surrogate pair';
