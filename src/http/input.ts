import type { Context } from 'koa';
import { z } from 'zod';
import { AppError, type FieldError, notFound } from '../kernel/errors.ts';
import { refuseCredentialInBody } from '../principals/credential.ts';
import { refuseBodyCredential } from './authenticate.ts';
import { hasBody, parseJson, readText, requireJson } from './body.ts';

export type InputSchemas = { params?: z.ZodType; query?: z.ZodType; body?: z.ZodType; bodyOptional?: true };

export type Input = { params: unknown; query: unknown; body: unknown };

const NO_PARAMETERS = z.strictObject({});

/**
 * What a route declared to take, parsed and checked. Throws 404 for a path parameter that names nothing, 415, 413 or 400
 * for a body that can't be read, and one 422 with all faults of query and body.
 */
export async function readInput(schemas: InputSchemas, ctx: Context): Promise<Input> {
  const authenticated = ctx.state.principal !== undefined;
  const params = schemas.params?.safeParse(ctx['params']);
  if (params && !params.success) throw notFound();

  const querySchema = schemas.query ?? (authenticated && ctx.querystring !== '' ? NO_PARAMETERS : undefined);
  const query = querySchema?.safeParse(queryOf(ctx));
  const noBody = schemas.bodyOptional && !hasBody(ctx);
  const body = schemas.body?.safeParse(noBody ? {} : await readBody(schemas.body, ctx, authenticated));

  refuseFaults([query, body]);
  return { params: params?.data, query: query?.data, body: body?.data };
}

/** The same of values that no request carried: what one of our own pages asks a route for. */
export function checkInput(schemas: InputSchemas, given: Partial<Input>): Input {
  const params = schemas.params?.safeParse(given.params);
  if (params && !params.success) throw notFound();
  const query = (schemas.query ?? NO_PARAMETERS).safeParse(given.query ?? {});
  const body = schemas.body?.safeParse(given.body ?? {});
  refuseFaults([query, body]);
  return { params: params?.data, query: query.data, body: body?.data };
}

function refuseFaults(results: readonly (z.ZodSafeParseResult<unknown> | undefined)[]): void {
  const errors = results.flatMap((result) => (result?.error ? faultsOf(result.error) : []));
  if (errors.length === 0) return;
  throw new AppError(
    'validation_failed',
    errors.length === 1 ? 'The request has a fault.' : `The request has ${errors.length} faults.`,
    { errors },
  );
}

async function readBody(schema: z.ZodType, ctx: Context, authenticated: boolean): Promise<unknown> {
  try {
    requireJson(ctx);
  } catch (error) {
    await refuseBodyCredential(ctx, authenticated);
    throw error;
  }
  const value = parseJson(await readText(ctx));
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const declared = new Set(schema instanceof z.ZodObject ? Object.keys(schema.shape) : []);
    refuseCredentialInBody(Object.keys(value), { declared, inHeader: authenticated });
  }
  return value;
}

/** A parameter that was sent twice is a list, which no schema of a single value takes. */
function queryOf(ctx: Context): Record<string, string | string[]> {
  const parameters = new URLSearchParams(ctx.querystring);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length > 1 ? values : (values[0] ?? '')];
    }),
  );
}

/** More help nobody, and would make an answer larger than its request. */
const MOST_FAULTS = 100;

/** Every fault with its path, as in "metadata.team"; messages never repeat the value. The first hundred of them. */
function faultsOf(error: z.ZodError): FieldError[] {
  return error.issues
    .slice(0, MOST_FAULTS)
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not known here' }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    )
    .slice(0, MOST_FAULTS);
}
