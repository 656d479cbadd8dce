import { z } from 'zod';
import { ALL_SCOPES, SCOPES } from '../../config/scopes.ts';
import type { Route } from '../http/route.ts';
import { ERRORS } from '../kernel/errors.ts';
import { openApiWebhooks } from './webhooks.ts';

type Json = Record<string, unknown>;

const SCHEMAS = '#/components/schemas/';

/**
 * The OpenAPI 3.1 document of a route table. The schemas are those that requests are checked by, so that the document can't say
 * otherwise than the service does.
 */
export function openApiDocument(routes: readonly Route[], urls: { apiUrl: string; webUrl: string }): Json {
  const schemas: Json = { Problem: problemSchema(urls.webUrl) };
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'PromptReports API',
      version: '1.0.0',
      description: 'Prompts, reports, evaluations and datasets, with API keys or OAuth 2.0 access tokens.',
    },
    servers: [{ url: urls.apiUrl }],
    externalDocs: { url: `${urls.webUrl}/docs` },
    paths,
    webhooks: openApiWebhooks(),
    components: {
      schemas,
      securitySchemes: securitySchemes(urls),
      responses: { Problem: problemResponse() },
    },
  };
}

function operation(route: Route, schemas: Json): Json {
  const parameters = [
    ...parametersIn('path', route.params, schemas),
    ...parametersIn('query', route.query, schemas),
  ];
  const success = route.answer
    ? {
        description: 'Success',
        content: { 'application/json': { schema: schemaOf(route.answer, 'output', schemas) } },
      }
    : { description: 'Done' };
  return {
    summary: route.summary,
    operationId: operationId(route),
    tags: [route.path.split('/')[2] ?? 'api'],
    security: securityOf(route),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input', schemas) } },
          },
        }
      : {}),
    responses: {
      [route.status]: success,
      ...Object.fromEntries(
        errorStatuses(route).map((status) => [status, { $ref: '#/components/responses/Problem' }]),
      ),
    },
  };
}

/** `GET /v1/prompts/:id` → `get_prompts_id`: stable for as long as the path is, and unique with it. */
const operationId = ({ method, path }: Route): string =>
  [method.toLowerCase(), ...path.replace(/^\/v1\//, '/').split('/')]
    .map((part) => part.replace(/\W/g, ''))
    .filter(Boolean)
    .join('_');

function securityOf({ scope }: Route): Json[] {
  if (scope === 'public') return [];
  return [{ apiKey: [] }, { oauth2: scope === 'authenticated' ? [] : [scope] }];
}

/** What the pipeline may answer before, and the handler after. */
function errorStatuses({ scope, params, query, body }: Route): number[] {
  const statuses = [400, 429, 500, 503];
  if (scope !== 'public') statuses.push(401, 422);
  if (scope !== 'public' && scope !== 'authenticated') statuses.push(403);
  if (params) statuses.push(404);
  if (query) statuses.push(422);
  if (body) statuses.push(409, 413, 415, 422);
  return [...new Set(statuses)].sort((a, b) => a - b);
}

function parametersIn(where: 'path' | 'query', schema: z.ZodType | undefined, schemas: Json): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input', schemas) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

/** JSON Schema of a zod schema; those that have an id of their own go to the components, once. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const {
    $schema: _,
    $defs,
    ...own
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // An answer may gain members without a new version of the API; a request with an unknown one is refused.
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  }) as Json;
  const rewritten = (value: Json): Json =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', `"${SCHEMAS}`)) as Json;
  for (const [id, definition] of Object.entries(($defs ?? {}) as Record<string, Json>)) {
    schemas[id] = withoutId(rewritten(definition));
  }
  if (typeof own['id'] !== 'string') return rewritten(own);
  schemas[own['id']] = withoutId(rewritten(own));
  return { $ref: SCHEMAS + own['id'] };
}

/** zod leaves its name in the schema; in JSON Schema 2020-12 `id` means nothing. */
const withoutId = (schema: Json): Json =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => name !== 'id'));

function securitySchemes({ apiUrl, webUrl }: { apiUrl: string; webUrl: string }): Json {
  const scopes = Object.fromEntries(ALL_SCOPES.map((scope) => [scope, SCOPES[scope].description]));
  const tokenUrl = `${apiUrl}/oauth/token`;
  return {
    apiKey: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'pr_(live|test)_[0-9A-Za-z]{36}',
      description: 'An API key, from a server of your own.',
    },
    oauth2: {
      type: 'oauth2',
      flows: {
        authorizationCode: {
          authorizationUrl: `${webUrl}/oauth/authorize`,
          tokenUrl,
          refreshUrl: tokenUrl,
          scopes,
        },
        clientCredentials: { tokenUrl, scopes },
      },
    },
  };
}

const problemResponse = (): Json => ({
  description: 'What went wrong (RFC 9457)',
  headers: { 'X-Request-Id': { schema: { type: 'string' }, description: 'Names this request in our logs.' } },
  content: { 'application/problem+json': { schema: { $ref: `${SCHEMAS}Problem` } } },
});

const problemSchema = (webUrl: string): Json => ({
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri', examples: [`${webUrl}/docs/errors/not_found`] },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    requestId: { type: 'string' },
    requiredScopes: { type: 'array', items: { type: 'string', enum: ALL_SCOPES } },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
    limit: { type: 'integer' },
    window: { type: 'string', enum: ['second', 'minute', 'day'] },
  },
});
