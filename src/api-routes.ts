import { apiKeyRoutes } from './api-keys/routes.ts';
import type { Route } from './http/route.ts';
import { resourceMetadataRoutes } from './openapi/resource-metadata-routes.ts';
import { openApiRoutes } from './openapi/routes.ts';
import { meRoutes } from './resources/me-routes.ts';
import { allResourceRoutes } from './resources/routes.ts';
import type { Services } from './services.ts';

/** Every route of the API in one table: what is served, what is documented, and what the tests walk. */
export function apiRoutes({ config, keys, apiKeys, resources, transaction, audit, clock }: Services): Route[] {
  const v1 = [
    ...meRoutes(),
    ...apiKeyRoutes({ keys, apiKeys, clock }),
    ...allResourceRoutes(resources, { transaction, audit, clock }),
  ];
  return [...v1, ...resourceMetadataRoutes(v1, config), ...openApiRoutes(v1, config)];
}
