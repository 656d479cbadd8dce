import { createApiKeyStore } from '../../adapters/database/api-keys.ts';
import { createAuditLog } from '../../adapters/database/audit.ts';
import type { Database } from '../../adapters/database/database.ts';
import { createResourceStores } from '../../adapters/database/resources.ts';
import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import { ALL_SCOPES, type Scope } from '../../config/scopes.ts';
import { createApiKeyCreator } from '../../src/api-keys/create.ts';
import { createApiKeyResolver } from '../../src/api-keys/verify.ts';
import type { Route } from '../../src/http/route.ts';
import { createApiRoutes } from '../../src/http/router.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { newId } from '../../src/kernel/ids.ts';
import { resourceMetadataRoutes } from '../../src/openapi/resource-metadata-routes.ts';
import { openApiRoutes } from '../../src/openapi/routes.ts';
import { createResolve } from '../../src/principals/resolve.ts';
import { meRoutes } from '../../src/resources/me-routes.ts';
import { allResourceRoutes } from '../../src/resources/routes.ts';
import { startApp } from '../http/support.ts';
import { NO_LIMITS } from '../support/limits.ts';

export type Api = Awaited<ReturnType<typeof startApi>>;

/** The resource API over a real database, with whom the test makes to call it. */
export async function startApi(
  database: Database,
  options: Partial<{ audit: ReturnType<typeof createAuditLog> }> = {},
) {
  const audit = options.audit ?? createAuditLog(database);
  const { transaction } = database;
  const apiKeys = createApiKeyStore(database);
  const createKey = createApiKeyCreator({
    apiKeys,
    transaction,
    audit: createAuditLog(database),
    clock: systemClock,
  });
  let table: Route[] = [];

  const app = await startApp((config) => {
    const v1 = [
      ...meRoutes(),
      ...allResourceRoutes(createResourceStores(database), { transaction, audit, clock: systemClock }),
    ];
    table = [...v1, ...resourceMetadataRoutes(v1, config)];
    return createApiRoutes([...table, ...openApiRoutes(table, config)], {
      resolve: createResolve([createApiKeyResolver({ apiKeys })]),
      limits: NO_LIMITS,
      meter: () => {},
    });
  });

  return {
    ...app,
    routes: () => table,
    newOrganization: async () => {
      const id = newId('org');
      await database.sql()('organizations').insert({ id, name: 'Test' });
      return id;
    },
    newMember: async (organizationId: string, role: Role) => {
      const id = newId('usr');
      await database
        .sql()('users')
        .insert({ id, email: `${id}@example.com`, name: 'Test', password_hash: 'none' });
      await database.sql()('memberships').insert({ organization_id: organizationId, user_id: id, role });
      return id;
    },
    newKey: async (
      organizationId: string,
      createdBy: string,
      environment: Environment,
      scopes: readonly Scope[] = ALL_SCOPES,
    ) => {
      const { apiKey, key } = await createKey(
        { organizationId, name: 'Test', environment, scopes, createdBy },
        { actor: { type: 'user', id: createdBy } },
      );
      return { id: apiKey.id, key: key.reveal() };
    },
    as: (key: string) => client(app.url, key),
  };
}

export type Answer = { status: number; headers: Headers; json: Record<string, unknown> };

/** In order, for answers whose own order is chance. */
export const statusesOf = (answers: readonly Answer[]): number[] =>
  answers.map(({ status }) => status).sort((a, b) => a - b);

/** Calls the API with one credential. `body` is sent as JSON. */
const client =
  (url: string, key: string) =>
  async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      json: (text ? JSON.parse(text) : undefined) as Record<string, unknown>,
    };
  };
