import type { Context } from 'koa';
import type { z } from 'zod';
import type { Scope } from '../../config/scopes.ts';
import { AppError } from '../kernel/errors.ts';
import type { Allowance, Caller, Principal } from '../principals/principal.ts';
import type { Resolve } from '../principals/resolve.ts';
import { addHeader, sendJson } from './answer.ts';
import { authenticate } from './authenticate.ts';
import { toAppError } from './errors.ts';
import { readInput } from './input.ts';

/**
 * What a caller needs: one scope; `authenticated`, any credential; `public`, none. There is no default, so that no
 * route is open because somebody forgot to say.
 */
export type RouteScope = Scope | 'authenticated' | 'public';

/** What a handler is given. It has no access to the request beyond this. */
export type Call<Principal_, Params, Query, Body> = {
  principal: Principal_;
  /** How much the credential may ask for. Absent where there is none: at our own pages. */
  allowance: Allowance | undefined;
  params: Params;
  query: Query;
  body: Body;
  ip: string;
  requestId: string;
};

export type Route = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As @koa/router writes it: `/v1/prompts/:id`. */
  path: string;
  scope: RouteScope;
  /** The call is not counted by the limits, and passes when they are used up. */
  costsNothing?: true;
  /** An API key needs no scope where `:id` is its own. */
  orItself?: true;
  /** One line for the API document. */
  summary: string;
  /** Of the path; one that doesn't fit is 404. */
  params?: z.ZodType;
  /** Strict: an unknown parameter is a fault. Absent: the route takes none. */
  query?: z.ZodType;
  /** Strict. Absent: a body is not looked at. */
  body?: z.ZodType;
  /** A request without a body counts as one with `{}`. */
  bodyOptional?: true;
  /** The shape of the answer, for the API document and the tests; not applied at run time. Absent with 204. */
  answer?: z.ZodType;
  status: 200 | 201 | 202 | 204;
  /** Public routes only: how long anybody may keep the answer. Everything else is `no-store`. */
  cacheSeconds?: number;
  handle(call: Call<Principal | undefined, unknown, unknown, unknown>): Promise<unknown>;
};

type Schema = z.ZodType | undefined;
type OutputOf<S extends Schema> = S extends z.ZodType ? z.output<S> : undefined;
type InputOf<S extends Schema> = S extends z.ZodType ? z.input<S> : undefined;

/** A route whose handler is typed by its own schemas. */
export function defineRoute<
  S extends RouteScope,
  P extends Schema = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  A extends Schema = undefined,
>(
  route: Omit<Route, 'scope' | 'params' | 'query' | 'body' | 'answer' | 'handle'> & {
    scope: S;
    params?: P;
    query?: Q;
    body?: B;
    answer?: A;
    handle(
      call: Call<S extends 'public' ? undefined : Principal, OutputOf<P>, OutputOf<Q>, OutputOf<B>>,
    ): Promise<InputOf<A>>;
  },
): Route {
  return route as unknown as Route;
}

export type RouteDeps = {
  resolve: Resolve;
  limits: CallLimits;
  /** Told of every call once its status is certain, refused ones too. Must not throw. */
  meter(event: MeteredCall): void;
};

/** What became of a call. `principal`: as far as there is one. `limited`: what the limit said, if it was asked. */
export type MeteredCall = {
  route: Route;
  principal: Principal | undefined;
  status: number;
  ip: string;
  limited: 'not_reached' | 'allowed' | 'refused';
};

/** All of them set the rate-limit headers, which errors keep. */
export type CallLimits = {
  /** Counts the call and lets it pass, or throws rate_limited. */
  count(ctx: Context, caller: Caller): Promise<void>;
  /** Tells the caller where it stands; for a call that costs nothing. */
  show(ctx: Context, caller: Caller): Promise<void>;
  /** Counts a failed authentication by its address: the error to answer with, rate_limited when there were too many. */
  refuse(ctx: Context, error: unknown): Promise<unknown>;
  /** Tells who has proved nothing how many failures its address has left. */
  showUnproven(ctx: Context): Promise<void>;
};

/**
 * The pipeline, the same for every route: credential, principal, scope, limit, input, handler, usage. What a route can vary
 * is declared above; the order and the checks are not. Host, TLS and the request's id were seen to before.
 */
export async function runRoute(
  route: Route,
  ctx: Context,
  { resolve, limits, meter }: RouteDeps,
): Promise<void> {
  let principal: Caller | undefined;
  let status: number = route.status;
  let limited: MeteredCall['limited'] = 'not_reached';
  try {
    if (route.scope !== 'public') {
      principal = await authenticate(ctx, resolve).catch(async (error: unknown) => {
        throw await limits.refuse(ctx, error); //            400, 401, 429
      });
      ctx.state.principal = principal;
      const refusal = scopeRefusal(principal, route, ctx['params']);
      if (refusal || route.costsNothing) {
        await limits.show(ctx, principal);
      } else {
        limited = 'refused'; // until it lets the call pass
        await limits.count(ctx, principal); //               429
        limited = 'allowed';
      }
      if (refusal) throw refusal; //                         403
    }
    const input = await readInput(route, ctx); //            400, 404, 413, 415, 422
    const answer = await route.handle({
      principal,
      allowance: principal?.allowance,
      ...input,
      ip: ctx.ip,
      requestId: ctx.state.requestId,
    });
    const kept = route.cacheSeconds;
    addHeader(ctx, 'Cache-Control', kept === undefined ? 'no-store' : `public, max-age=${kept}`);
    sendJson(ctx, route.status, route.status === 204 ? undefined : answer);
  } catch (error) {
    status = toAppError(error).status;
    throw error;
  } finally {
    meter({ route, principal, status, ip: ctx.ip, limited });
  }
}

/** Throws insufficient_scope. `params`: of the path, not checked yet. */
export function requireScope(...checked: Parameters<typeof scopeRefusal>): void {
  const refusal = scopeRefusal(...checked);
  if (refusal) throw refusal;
}

/** The insufficient_scope to answer with, if the principal lacks what the route needs. */
function scopeRefusal(
  principal: Pick<Principal, 'method' | 'id' | 'scopes'>,
  { scope, orItself }: Pick<Route, 'scope' | 'orItself'>,
  params: { id?: unknown } = {},
): AppError | undefined {
  if (scope === 'authenticated' || scope === 'public' || principal.scopes.includes(scope)) return undefined;
  if (orItself && principal.method === 'api_key' && params.id === principal.id) return undefined;
  return new AppError(
    'insufficient_scope',
    `This call needs the scope ${scope}, which the credential does not hold.`,
    {
      requiredScopes: [scope],
    },
  );
}
