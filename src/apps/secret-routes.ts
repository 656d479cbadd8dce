import { z } from 'zod';
import { futureTime } from '../http/fields.ts';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import { idOf, timestamp } from '../kernel/schemas.ts';
import { visibleTo } from '../principals/principal.ts';
import type { AppStore, ListedAppSecret } from './app.ts';
import type { Apps } from './manage.ts';

const secretObject = z
  .object({
    object: z.literal('app_secret'),
    id: idOf('sec'),
    last4: z.string(),
    createdAt: timestamp,
    expiresAt: timestamp.nullable(),
    lastUsedAt: timestamp.nullable(),
  })
  .meta({ id: 'AppSecret' });

const newSecretObject = secretObject
  .extend({
    clientSecret: z.string().meta({ description: 'Shown in this answer and never again.' }),
  })
  .meta({ id: 'NewAppSecret' });

export type AppSecretObject = z.output<typeof secretObject>;

const params = z.strictObject({ id: idOf('app') });

/** `/v1/apps/:id/secrets`: several may be valid at once, so that one can be replaced without an outage. */
export function appSecretRoutes({
  manageApps,
  apps,
  clock,
}: {
  manageApps: Apps;
  apps: AppStore;
  clock: Clock;
}): Route[] {
  const future = futureTime(clock);
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/apps/:id/secrets',
      scope: 'organization:read',
      summary: "List an app's secrets",
      params,
      query: pageQuery((value) => (isId('sec', value) ? value : undefined)),
      answer: listSchema(secretObject),
      status: 200,
      handle: async ({ principal, params: { id }, query: { limit, cursor } }) => {
        if (!(await apps.find(visibleTo(principal), id))) throw notFound();
        const found = await apps.listSecrets(id, { limit: limit + 1, after: cursor });
        return listOf(found, limit, (secret) => secret.id, presentSecret);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/apps/:id/secrets',
      scope: 'organization:admin',
      summary: 'Add a secret to an app; the others go on working',
      params,
      body: z.strictObject({ expiresAt: future.nullish().transform((at) => at ?? undefined) }),
      bodyOptional: true,
      answer: newSecretObject,
      status: 201,
      handle: async ({ principal, params: { id }, ip, body: { expiresAt } }) => {
        const { secret, value } = await manageApps.addSecret({ principal, ip }, id, expiresAt);
        return { ...presentSecret(secret), clientSecret: value.reveal() };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/v1/apps/:id/secrets',
      scope: 'organization:admin',
      summary: 'Delete the secret that `id` names',
      params,
      query: z.strictObject({ id: idOf('sec') }),
      status: 204,
      handle: async ({ principal, params: { id }, query, ip }) => {
        await manageApps.deleteSecret({ principal, ip }, id, query.id);
        return undefined;
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/v1/apps/:id/secrets/:secretId',
      scope: 'organization:admin',
      summary: 'Delete a secret of an app',
      params: params.extend({ secretId: idOf('sec') }),
      status: 204,
      handle: async ({ principal, params: { id, secretId }, ip }) => {
        await manageApps.deleteSecret({ principal, ip }, id, secretId);
        return undefined;
      },
    }),
  ];
}

const presentSecret = (secret: ListedAppSecret): z.input<typeof secretObject> => ({
  object: 'app_secret',
  id: secret.id,
  last4: secret.last4,
  createdAt: secret.createdAt.toISOString(),
  expiresAt: secret.expiresAt?.toISOString() ?? null,
  lastUsedAt: secret.lastUsedAt?.toISOString() ?? null,
});
