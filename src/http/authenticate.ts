import type { Context } from 'koa';
import { AppError } from '../kernel/errors.ts';
import { rawHeaderValues } from '../kernel/raw-headers.ts';
import {
  type PresentedCredential,
  readCredential,
  refuseCredentialInBody,
} from '../principals/credential.ts';
import type { Caller } from '../principals/principal.ts';
import type { Resolve } from '../principals/resolve.ts';
import { hasBody, readText } from './body.ts';

const PEEK_BYTES = 64 * 1024;
const FORM = 'application/x-www-form-urlencoded';

/**
 * The credential of a request, and who it proves. Throws 400 for a misplaced one or several, 401 for none or a bad one.
 * `formToken`: one that stood in a form, where the endpoint takes it there.
 */
export async function authenticate(ctx: Context, resolve: Resolve, formToken?: string): Promise<Caller> {
  let found: PresentedCredential;
  try {
    found = readCredential({
      rawHeaders: ctx.req.rawHeaders,
      query: ctx.querystring,
      formToken,
    });
  } catch (error) {
    // Who sent it in the body is told so, rather than that there is none.
    if (error instanceof AppError && error.code === 'missing_credential')
      await refuseBodyCredential(ctx, false);
    throw error;
  }
  const { scheme, credential } = found;
  const dpop = scheme === 'dpop' ? { dpop: { proofs: proofsOf(ctx), method: ctx.method } } : {};
  return resolve({ credential, path: ctx.path, ip: ctx.ip, ...dpop });
}

const proofsOf = ({ req }: Context): string[] => rawHeaderValues(req.rawHeaders, 'dpop');

/**
 * Throws 400 when a small form or JSON body carries a credential. Reads the body: only for requests that are refused
 * anyway. `inHeader`: whether there is another in the header.
 */
export async function refuseBodyCredential(ctx: Context, inHeader: boolean): Promise<void> {
  if (!hasBody(ctx) || (ctx.request.length ?? Infinity) > PEEK_BYTES) return;
  const isForm = ctx.is(FORM) === FORM;
  if (!isForm && !ctx.is('application/json')) return;
  refuseCredentialInBody(memberNames(await readText(ctx), isForm), { inHeader });
}

function memberNames(text: string, isForm: boolean): string[] {
  if (isForm) return [...new URLSearchParams(text).keys()];
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? Object.keys(value) : [];
  } catch {
    return [];
  }
}
