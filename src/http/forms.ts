import type { Context } from 'koa';
import getRawBody from 'raw-body';
import { AppError } from '../kernel/errors.ts';

const LIMIT_BYTES = 64 * 1024;

/** The fields of a form that was posted. */
export type Form = {
  /** The field's value; "" when it isn't there. Throws when it was sent twice. */
  get(name: string): string;
  /** All values of a field that may be sent several times. */
  all(name: string): string[];
};

/**
 * Reads an application/x-www-form-urlencoded body of at most 64 kB as text. Throws 415, 413, or 400 for what
 * isn't UTF-8 or holds NUL, which no database column here can keep.
 */
export async function readFormText(ctx: Context): Promise<string> {
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new AppError('unsupported_media_type', 'Send the body as application/x-www-form-urlencoded.');
  }
  const bytes = await getRawBody(ctx.req, { limit: LIMIT_BYTES, length: ctx.request.length ?? null });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    decodeURIComponent(text.replaceAll('+', ' ')); // throws on escapes that aren't UTF-8
  } catch (error) {
    throw new AppError('bad_request', 'The form is not valid UTF-8.', {}, { cause: error });
  }
  if (/%00|\0/.test(text)) throw new AppError('bad_request', 'The form holds a NUL character.');
  return text;
}

/** Reads the form that a page posted. */
export async function readForm(ctx: Context): Promise<Form> {
  const fields = new URLSearchParams(await readFormText(ctx));
  return {
    get: (name) => {
      const values = fields.getAll(name);
      if (values.length > 1) throw new AppError('bad_request', `The field ${name} was sent more than once.`);
      return values[0] ?? '';
    },
    all: (name) => fields.getAll(name),
  };
}
