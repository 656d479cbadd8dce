import type { Environment } from '../../config/environments.ts';
import type { ApiKeyObject } from '../api-keys/routes.ts';
import type { AppObject } from '../apps/routes.ts';
import type { AppSecretObject } from '../apps/secret-routes.ts';
import type { AuditEventObject } from '../audit/routes.ts';
import { callRoute } from '../http/call-route.ts';
import type { Route } from '../http/route.ts';
import type { LimitsObject } from '../limits/routes.ts';
import type { MemberObject } from '../organizations/member-routes.ts';
import type { OrganizationObject } from '../organizations/routes.ts';
import type { Principal } from '../principals/principal.ts';
import type { UsageObject } from '../usage/routes.ts';
import type { DeliveryObject, DeliveryWithAttemptsObject } from '../webhooks/delivery-routes.ts';
import type { WebhookObject } from '../webhooks/routes.ts';

type List<T> = { data: T[]; hasMore: boolean; nextCursor: string | null };

/** What the console asks of `/v1`, and what comes back: nothing here is done in any other way. */
export type Answers = {
  'GET /v1/organization': OrganizationObject;
  'GET /v1/organization/members': List<MemberObject>;
  'PATCH /v1/organization': OrganizationObject;
  'POST /v1/organization/members': MemberObject;
  'GET /v1/organization/members/:id': MemberObject;
  'PATCH /v1/organization/members/:id': MemberObject;
  'GET /v1/organization/audit-log': List<AuditEventObject>;
  'GET /v1/apps': List<AppObject>;
  'POST /v1/apps': AppObject & { clientSecret?: string };
  'GET /v1/apps/:id': AppObject;
  'PATCH /v1/apps/:id': AppObject;
  'DELETE /v1/apps/:id': undefined;
  'GET /v1/apps/:id/secrets': List<AppSecretObject>;
  'POST /v1/apps/:id/secrets': AppSecretObject & { clientSecret: string };
  'DELETE /v1/apps/:id/secrets/:secretId': undefined;
  'GET /v1/webhooks': List<WebhookObject>;
  'POST /v1/webhooks': WebhookObject & { secret: string };
  'GET /v1/webhooks/:id': WebhookObject;
  'PATCH /v1/webhooks/:id': WebhookObject;
  'DELETE /v1/webhooks/:id': undefined;
  'POST /v1/webhooks/:id/rotate-secret': WebhookObject & { secret: string };
  'POST /v1/webhooks/:id/test': DeliveryObject;
  'GET /v1/webhooks/:id/deliveries': List<DeliveryObject>;
  'GET /v1/webhooks/:id/deliveries/:deliveryId': DeliveryWithAttemptsObject;
  'POST /v1/webhooks/:id/deliveries/:deliveryId/redeliver': DeliveryObject;
  'GET /v1/limits': LimitsObject;
  'GET /v1/usage': UsageObject;
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

export type Caller = { principal: Principal; environment: Environment; ip: string; requestId: string };

/**
 * The API's routes, to be called by who is at a page: of the environment that the page shows, but for the organization,
 * which is of neither, and which somebody who looks at the sandbox may change all the same.
 */
export function createCalls(routes: readonly Route[]): (caller: Caller) => CallApi {
  const byName = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  return ({ principal, environment, ...caller }) =>
    async <K extends keyof Answers>(name: K, { params, query = {}, body }: Given = {}) => {
      const route = byName.get(name);
      if (!route) throw new Error(`The API has no ${name}`);
      const sent = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
      return (await callRoute(route, {
        ...caller,
        principal: name.includes(' /v1/organization') ? principal : { ...principal, environment },
        query: sent,
        ...(params ? { params } : {}),
        ...(body ? { body } : {}),
      })) as Answers[K];
    };
}
