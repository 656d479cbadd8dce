import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { WEBHOOK_EVENTS } from '../../config/webhook-events.ts';
import { databases } from '../support/each-database.ts';
import { type Api, startApi } from './support.ts';

type Json = { [member: string]: Json } & { [index: number]: Json };

let database: Database;
let api: Api;
const get = async (path: string) => {
  const answer = await fetch(api.url + path);
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Json };
};

beforeAll(async () => {
  database = await (databases.find(({ name }) => name === 'embedded') as (typeof databases)[number]).open();
  api = await startApi(database);
});
afterAll(async () => {
  await api.close();
  await database.close();
});

describe('/openapi.json', () => {
  test('says what webhooks are sent: every event, by its type', async () => {
    const { json } = await get('/openapi.json');
    expect(Object.keys(json['webhooks'] ?? {})).toEqual(Object.keys(WEBHOOK_EVENTS));
    const post = json['webhooks']?.['prompt.updated']?.['post'];
    expect(post?.['requestBody']?.['content']?.['application/json']?.['schema']).toMatchObject({
      required: ['id', 'type', 'apiVersion', 'createdAt', 'data'],
      properties: { type: { const: 'prompt.updated' } },
    });
  });

  test('needs no credential, may be kept, and may be read by any website', async () => {
    const { status, headers, json } = await get('/openapi.json');
    expect([status, json['openapi']]).toEqual([200, '3.1.0']);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  test('has every route with its scope, by both kinds of credential', async () => {
    const { json } = await get('/openapi.json');
    for (const { method, path, scope } of api.routes()) {
      const operation = json['paths']?.[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
      const wanted =
        scope === 'public' ? [] : [{ apiKey: [] }, { oauth2: scope === 'authenticated' ? [] : [scope] }];
      expect([path, operation?.['security']]).toEqual([path, wanted]);
    }
  });

  test('each operation has a name of its own, and every reference leads somewhere', async () => {
    const { json } = await get('/openapi.json');
    const names = Object.values(json['paths'] as object).flatMap((item: object) =>
      Object.values(item).map(({ operationId }: { operationId: string }) => operationId),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const [, reference = ''] of JSON.stringify(json).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = reference.split('/').reduce<Json | undefined>((at, step) => at?.[step], json);
      expect([reference, typeof target]).toEqual([reference, 'object']);
    }
    expect(JSON.stringify(json)).not.toContain('$defs');
  });

  test('names the scopes and where to get a token', async () => {
    const flows = (await get('/openapi.json')).json['components']?.['securitySchemes']?.['oauth2']?.['flows'];
    expect(Object.keys(flows?.['clientCredentials']?.['scopes'] as object)).toEqual(ALL_SCOPES);
    expect(flows?.['authorizationCode']).toMatchObject({
      authorizationUrl: `${api.url}/oauth/authorize`,
      tokenUrl: `${api.url}/oauth/token`,
    });
  });
});

describe('protected resource metadata (RFC 9728)', () => {
  test.each([
    '',
    '/v1',
    '/v1/prompts',
    '/v1/folders',
    '/v1/reports',
    '/v1/evaluations',
    '/v1/datasets',
    '/v1/me',
  ])('§3.3: the document of %j names just that resource', async (resource) => {
    const { status, json } = await get(`/.well-known/oauth-protected-resource${resource}`);
    expect([status, json]).toEqual([
      200,
      {
        resource: api.url + resource,
        authorization_servers: [api.url],
        // Without the one that manages an organization: clients ask for what they find here.
        scopes_supported: ALL_SCOPES.filter((scope) => scope !== 'organization:admin'),
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA', 'PS256'],
        resource_name: 'PromptReports API',
        resource_documentation: `${api.url}/docs`,
      },
    ]);
  });

  test('§5.1: a 401 points to it', async () => {
    const challenge = (await get('/v1/me')).headers.get('www-authenticate') ?? '';
    const url = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '';
    expect((await fetch(url)).status).toBe(200);
  });

  test('of what is no resource is 404', async () => {
    expect((await get('/.well-known/oauth-protected-resource/v2')).status).toBe(404);
  });
});
