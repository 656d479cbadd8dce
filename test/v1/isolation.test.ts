import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../config/config.ts';
import type { Environment } from '../../config/environments.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { apiRoutes } from '../../src/api-routes.ts';
import type { Route } from '../../src/http/route.ts';
import { createApiRoutes } from '../../src/http/router.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { Principal } from '../../src/principals/principal.ts';
import { invalidCredential } from '../../src/principals/resolve.ts';
import { openServices, type Services } from '../../src/services.ts';
import { startApp, type TestApp } from '../http/support.ts';
import { freshPostgres } from '../support/databases.ts';
import { temporaryFolder } from '../support/harness.ts';
import { ALLOWANCE, NO_LIMITS } from '../support/limits.ts';
import { describeWith } from '../support/needs.ts';
import { SAMPLES } from './resource-samples.ts';

type Json = Record<string, unknown>;
type Call = (
  method: string,
  path: string,
  body?: object,
) => Promise<{ status: number; text: string; json: Json }>;

const CANARY = 'canary-7f3a';

/** Makes one of the things whose `:id` is in a path, and gives the parameters that lead to it. */
type Make = (theirs: Call, services: Services) => Promise<Record<string, string>>;

const post =
  (path: string, body: object): Make =>
  async (theirs) => {
    const { status, json } = await theirs('POST', path, body);
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(json)}`);
    return { id: String(json['id']) };
  };

/** By the path in front of `:id`. A new one belongs here, so that it is walked too. */
const MAKE: Record<string, Make> = {
  ...Object.fromEntries(SAMPLES.map(({ path, least }) => [path, post(path, { ...least, name: CANARY })])),
  '/v1/api-keys': post('/v1/api-keys', { name: CANARY, environment: 'live', scopes: ['prompts:read'] }),
  '/v1/apps': async (theirs, services) => {
    const app = { kind: 'web', environment: 'live', redirectUris: ['https://example.com/cb'], scopes: [] };
    const made = await post('/v1/apps', { ...app, name: CANARY, scopes: ['prompts:read'] })(theirs, services);
    const secrets = await theirs('GET', `/v1/apps/${made['id']}/secrets`);
    return { ...made, secretId: String((secrets.json['data'] as Json[])[0]?.['id']) };
  },
  '/v1/webhooks': async (theirs, services) => {
    const webhook = { url: `https://${CANARY}.example.com/`, events: ['*'] };
    const made = await post('/v1/webhooks', webhook)(theirs, services);
    const { json } = await theirs('POST', `/v1/webhooks/${made['id']}/test`);
    return { ...made, deliveryId: String(json['id']) };
  },
  '/v1/organization/members': post('/v1/organization/members', {
    email: `${CANARY}@example.com`,
    role: 'viewer',
  }),
};

/** Bodies and queries that are valid, where nothing is not: a fault in them would be told before the 404. */
const BODIES: Record<string, object> = {
  'POST /v1/prompts/:id/versions': { content: 'stolen' },
  'PATCH /v1/organization/members/:id': { role: 'viewer' },
};
const QUERIES: Record<string, string> = {
  'DELETE /v1/apps/:id/secrets': `?id=sec_${'0'.repeat(26)}`,
};

describeWith('postgresql', 'every route of /v1', () => {
  let services: Services;
  let app: TestApp;
  let drop: () => Promise<void>;
  let routes: Route[] = [];
  const principals = new Map<string, Principal>();
  let theirs: Call;
  let strangers: [who: string, call: Call, may: number[]][];

  beforeAll(async () => {
    const { databaseUrl, drop: dropIt } = await freshPostgres();
    drop = dropIt;
    const config = loadConfig({ DATABASE_URL: databaseUrl, DATA_DIR: temporaryFolder('isolation') });
    services = await openServices(config, createLogger('silent'));
    app = await startApp((urls) => {
      const all = apiRoutes({ ...services, config: { ...services.config, ...urls } });
      routes = all.filter(({ path }) => path.startsWith('/v1'));
      return createApiRoutes(all, {
        // Who is who is tested elsewhere; here everybody may do everything, to their own.
        resolve: async ({ credential }) => {
          const principal = principals.get(credential);
          if (!principal) throw invalidCredential();
          return { ...principal, allowance: ALLOWANCE };
        },
        limits: NO_LIMITS,
        meter: () => {},
      });
    });
    theirs = as(await newPrincipal('live'));
    const stranger = await newPrincipal('live');
    strangers = [
      ['another organization', as(stranger), [404]],
      // Some of what concerns the organization is not for sandbox credentials at all.
      ["another organization's sandbox", as({ ...stranger, environment: 'test' }), [404, 403]],
    ];
  });
  afterAll(async () => {
    await app.close();
    await services.close();
    await drop();
  });

  const newPrincipal = async (environment: Environment): Promise<Principal> => {
    const userId = newId('usr');
    const email = `${userId}@example.com`;
    await services.users.insert({ id: userId, email, name: 'Test', passwordHash: 'none' });
    const { id: organizationId } = await services.createOrganization({
      name: CANARY,
      ownerId: userId,
      plan: 'free',
      actor: { type: 'operator' },
    });
    return { method: 'oauth_user', id: userId, userId, organizationId, environment, scopes: ALL_SCOPES };
  };

  const as = (principal: Principal): Call => {
    const credential = `credential-${principals.size}`;
    principals.set(credential, principal);
    return async (method, path, body) => {
      const answer = await fetch(app.url + path, {
        method,
        headers: {
          authorization: `Bearer ${credential}`,
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      return { status: answer.status, text, json: (text ? JSON.parse(text) : {}) as Json };
    };
  };

  const collectionOf = (path: string) => path.slice(0, path.indexOf('/:'));
  const fill = (path: string, params: Record<string, string>) =>
    path.replace(/:(\w+)/g, (_, name: string) => {
      const value = params[name];
      if (value === undefined)
        throw new Error(`MAKE['${collectionOf(path)}'] has to give the ${name} of ${path}`);
      return value;
    });

  test("answers 404 to another organization's id, as to one that names nothing, and does nothing", async () => {
    const ofOne = routes.filter(({ path }) => path.includes('/:'));
    const made = new Map<string, Record<string, string>>();
    for (const collection of new Set(ofOne.map(({ path }) => collectionOf(path)))) {
      const make = MAKE[collection];
      if (!make) throw new Error(`Say in MAKE how one of ${collection} is made`);
      made.set(collection, await make(theirs, services));
    }
    const readAll = () =>
      Promise.all(
        ofOne
          .filter(({ method }) => method === 'GET')
          .map(
            async ({ path }) => (await theirs('GET', fill(path, made.get(collectionOf(path)) ?? {}))).json,
          ),
      );
    const before = await readAll();
    expect(JSON.stringify(before)).toContain(CANARY);

    for (const { method, path, body } of ofOne) {
      const params = made.get(collectionOf(path)) ?? {};
      const key = `${method} ${path}`;
      const sent = body ? (BODIES[key] ?? {}) : undefined;
      const noParams = Object.fromEntries(
        Object.entries(params).map(([name, id]) => [name, id.replace(/_.*/, `_${'0'.repeat(26)}`)]),
      );
      for (const [who, call, may] of strangers) {
        const query = QUERIES[key] ?? '';
        const answer = await call(method, fill(path, params) + query, sent);
        const unknown = await call(method, fill(path, noParams) + query, sent);
        expect([key, who, may]).toEqual([key, who, expect.arrayContaining([answer.status])]);
        expect([key, { ...answer.json, requestId: '' }]).toEqual([key, { ...unknown.json, requestId: '' }]);
        expect(answer.text).not.toContain(CANARY);
      }
    }
    expect(await readAll()).toEqual(before);

    for (const { path, query } of routes.filter(
      (route) => route.method === 'GET' && !route.path.includes(':'),
    )) {
      if (!query) continue;
      const cursor = Buffer.from(made.get(path)?.['id'] ?? '').toString('base64url');
      for (const [who, call] of strangers) {
        for (const part of ['', ...(made.has(path) ? [`?cursor=${cursor}`] : [])]) {
          const { text } = await call('GET', path + part);
          for (const { id = '' } of made.values())
            expect([path, who, text.includes(id)]).toEqual([path, who, false]);
        }
      }
    }
  });

  test('declares a scope that there is', () => {
    expect(routes.length).toBeGreaterThan(25);
    for (const { method, path, scope } of routes) {
      expect([method, path, [...ALL_SCOPES, 'authenticated'].includes(scope)]).toEqual([method, path, true]);
      if (scope === 'authenticated') expect([method, path]).toEqual(['GET', '/v1/me']);
      else if (method !== 'GET')
        expect([method, path, scope]).toEqual([method, path, expect.stringMatching(/:(write|admin)$/)]);
    }
  });

  test('is 401 without a credential, and with one that proves nothing', async () => {
    for (const { method, path } of routes) {
      const url = app.url + path.replace(/:\w+/g, 'x');
      const none = await fetch(url, { method });
      const wrong = await fetch(url, { method, headers: { authorization: 'Bearer nobody' } });
      expect([method, path, none.status, wrong.status]).toEqual([method, path, 401, 401]);
    }
  });

  test('refuses every credential without its scope', async () => {
    const none = as({ ...(await newPrincipal('live')), scopes: [] });
    for (const { method, path, scope } of routes) {
      const { status, json } = await none(method, path.replace(/:\w+/g, 'x'));
      if (scope === 'authenticated') expect(status).toBe(200);
      else expect([method, path, status, json['requiredScopes']]).toEqual([method, path, 403, [scope]]);
    }
  });
});
