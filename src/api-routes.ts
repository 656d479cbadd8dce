import { apiKeyRoutes } from './api-keys/routes.ts';
import { appRoutes } from './apps/routes.ts';
import { appSecretRoutes } from './apps/secret-routes.ts';
import { auditRoutes } from './audit/routes.ts';
import type { Route } from './http/route.ts';
import { limitRoutes } from './limits/routes.ts';
import { resourceMetadataRoutes } from './openapi/resource-metadata-routes.ts';
import { openApiRoutes } from './openapi/routes.ts';
import { memberRoutes } from './organizations/member-routes.ts';
import { organizationRoutes } from './organizations/routes.ts';
import { meRoutes } from './resources/me-routes.ts';
import { allResourceRoutes } from './resources/routes.ts';
import type { Services } from './services.ts';
import { usageRoutes } from './usage/routes.ts';
import { webhookRoutes } from './webhooks/routes.ts';

/** Every route of the API in one table: what is served, what is documented, and what the tests walk. */
export function apiRoutes(services: Services): Route[] {
  const { config, manageApiKeys, apiKeys, apps, manageApps, organizations, members, auditLog, resources } =
    services;
  const { manageWebhooks, transaction, audit, clock } = services;
  const v1 = [
    ...meRoutes(),
    ...apiKeyRoutes({ manageApiKeys, apiKeys, clock }),
    ...appRoutes({ manageApps, apps }),
    ...appSecretRoutes({ manageApps, apps, clock }),
    ...organizationRoutes({ organizations, changeOrganization: services.changeOrganization }),
    ...memberRoutes({ members, invite: services.manageInvitations.invite, organizations }),
    ...auditRoutes({ auditLog }),
    ...usageRoutes({ reports: services.usageReports, clock }),
    ...webhookRoutes({ manageWebhooks }),
    ...limitRoutes({ overview: services.limitsOverview }),
    ...allResourceRoutes(resources, { transaction, audit, clock }),
  ];
  return [...v1, ...resourceMetadataRoutes(v1, config), ...openApiRoutes(v1, config)];
}
