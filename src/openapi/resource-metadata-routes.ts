import { z } from 'zod';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { defineRoute, type Route } from '../http/route.ts';

const CACHE_SECONDS = 300;
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

const document = z
  .object({
    resource: z.url(),
    authorization_servers: z.array(z.url()),
    scopes_supported: z.array(z.string()),
    bearer_methods_supported: z.array(z.literal('header')),
    resource_name: z.string(),
    resource_documentation: z.url(),
  })
  .meta({ id: 'ProtectedResourceMetadata' });

/**
 * RFC 9728: how to get a token for the API, to a client that has only met a 401. Section 3.1 puts the resource's path after
 * the well-known one, and section 3.3 has a client refuse a document whose `resource` isn't the one it asked for: so the
 * origin, /v1 and each resource below it have a document of their own. `routes`: the table that names them.
 */
export function resourceMetadataRoutes(
  routes: readonly Route[],
  { apiUrl, webUrl }: { apiUrl: string; webUrl: string },
): Route[] {
  const collections = routes.flatMap(({ path }) => /^\/v1\/[\w-]+/.exec(path) ?? []);
  return [...new Set(['', '/v1', ...collections])].map((resource) =>
    defineRoute({
      method: 'GET',
      path: WELL_KNOWN + resource,
      scope: 'public',
      summary: `OAuth metadata of ${resource === '' ? 'the API' : resource} (RFC 9728)`,
      answer: document,
      status: 200,
      cacheSeconds: CACHE_SECONDS,
      handle: async () => ({
        resource: apiUrl + resource,
        authorization_servers: [apiUrl],
        scopes_supported: ALL_SCOPES,
        bearer_methods_supported: ['header' as const],
        resource_name: 'PromptReports API',
        resource_documentation: `${webUrl}/docs`,
      }),
    }),
  );
}
