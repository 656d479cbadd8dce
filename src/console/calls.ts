import type { ApiKeyObject } from '../api-keys/routes.ts';
import type { AuditEventObject } from '../audit/routes.ts';
import { callRoute } from '../http/call-route.ts';
import type { Route } from '../http/route.ts';
import type { MemberObject, OrganizationObject } from '../organizations/routes.ts';
import type { Principal } from '../principals/principal.ts';

type List<T> = { data: T[]; hasMore: boolean; nextCursor: string | null };

/** What the console asks of `/v1`, and what comes back: nothing here is done in any other way. */
export type Answers = {
  'GET /v1/organization': OrganizationObject;
  'GET /v1/organization/members': List<MemberObject>;
  'GET /v1/organization/audit-log': List<AuditEventObject>;
  'GET /v1/api-keys': List<ApiKeyObject>;
  'POST /v1/api-keys': ApiKeyObject & { key: string };
  'GET /v1/api-keys/:id': ApiKeyObject;
  'PATCH /v1/api-keys/:id': ApiKeyObject;
  'DELETE /v1/api-keys/:id': undefined;
  'POST /v1/api-keys/:id/rotate': ApiKeyObject & { key: string };
};

export type Given = {
  params?: Record<string, string>;
  query?: Record<string, string | undefined>;
  body?: Record<string, unknown>;
};

/** Throws the route's own errors. */
export type CallApi = <K extends keyof Answers>(name: K, given?: Given) => Promise<Answers[K]>;

export type Caller = { principal: Principal; ip: string; requestId: string };

/** The API's routes, to be called by who is at a page. */
export function createCalls(routes: readonly Route[]): (caller: Caller) => CallApi {
  const byName = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  return (caller) =>
    async <K extends keyof Answers>(name: K, { params, query = {}, body }: Given = {}) => {
      const route = byName.get(name);
      if (!route) throw new Error(`The API has no ${name}`);
      const sent = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
      return (await callRoute(route, {
        ...caller,
        query: sent,
        ...(params ? { params } : {}),
        ...(body ? { body } : {}),
      })) as Answers[K];
    };
}
