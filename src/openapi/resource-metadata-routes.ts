import { z } from 'zod';
import { DPOP_ALGORITHMS } from '../../config/jwa.ts';
import { ALL_SCOPES, SCOPES } from '../../config/scopes.ts';
import { defineRoute, type Route } from '../http/route.ts';

const CACHE_SECONDS = 300;
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/**
 * RFC 9728 §2 needs not all of them here, and clients ask for what they find: not for the one that manages an organization.
 * The authorization server's own metadata names it too.
 */
const ASKED_FOR_BY_DEFAULT = ALL_SCOPES.filter((scope) => SCOPES[scope].level !== 'admin');

const document = z
  .object({
    resource: z.url(),
    authorization_servers: z.array(z.url()),
    scopes_supported: z.array(z.string()),
    bearer_methods_supported: z.array(z.literal('header')),
    dpop_signing_alg_values_supported: z.array(z.string()),
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
        scopes_supported: ASKED_FOR_BY_DEFAULT,
        bearer_methods_supported: ['header' as const],
        dpop_signing_alg_values_supported: [...DPOP_ALGORITHMS],
        resource_name: 'PromptReports API',
        resource_documentation: `${webUrl}/docs`,
      }),
    }),
  );
}
