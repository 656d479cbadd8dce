import { z } from 'zod';
import { ENVIRONMENTS } from '../../config/environments.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import { displayName, idOf, timestamp } from '../kernel/schemas.ts';
import { visibleTo } from '../principals/principal.ts';
import { APP_KINDS, type App, type AppStore, type ListedAppSecret } from './app.ts';
import type { Apps } from './manage.ts';

const GRANT_TYPES = {
  web: ['authorization_code', 'refresh_token'],
  spa: ['authorization_code', 'refresh_token'],
  native: ['authorization_code', 'refresh_token'],
  service: ['client_credentials'],
} as const satisfies Record<App['kind'], readonly string[]>;

const scopes = z
  .array(z.enum(ALL_SCOPES))
  .max(ALL_SCOPES.length)
  .refine((list) => new Set(list).size === list.length, 'must name each scope once');
const redirectUris = z.array(z.string()).max(1_000).meta({
  description:
    'Exact URIs, at most 20. https; http on loopback; for native apps also com.example.app:/callback.',
});
const link = z
  .string()
  .max(2_000)
  .refine(isHttpsUrl, 'must be an https URL')
  .nullable()
  .transform((url) => url ?? undefined);

const object = z
  .object({
    object: z.literal('app'),
    id: idOf('app').meta({ description: 'The client_id.' }),
    name: z.string(),
    kind: z.enum(APP_KINDS),
    environment: z.enum(ENVIRONMENTS),
    redirectUris: z.array(z.string()),
    scopes: z.array(z.enum(ALL_SCOPES)),
    requirePkce: z.boolean(),
    homepageUrl: z.string().nullable(),
    logoUrl: z.string().nullable(),
    privacyUrl: z.string().nullable(),
    grantTypes: z.array(z.string()),
    createdBy: z.string().nullable(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'App' });

const clientSecret = z
  .string()
  .meta({ description: 'Shown in this answer and never again. Absent for public apps.' });

const newObject = object.extend({ clientSecret: clientSecret.optional() }).meta({ id: 'NewApp' });

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

const newSecretObject = secretObject.extend({ clientSecret }).meta({ id: 'NewAppSecret' });

const params = z.strictObject({ id: idOf('app') });

/** `/v1/apps`: OAuth clients, and below each its secrets. */
export function appRoutes(deps: { manageApps: Apps; apps: AppStore; clock: Clock }): Route[] {
  return [...ofApps(deps), ...ofSecrets(deps)];
}

function ofApps({ manageApps, apps }: { manageApps: Apps; apps: AppStore }): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/apps',
      scope: 'organization:read',
      summary: 'List apps',
      query: pageQuery((value) => (isId('app', value) ? value : undefined)),
      answer: listSchema(object),
      status: 200,
      handle: async ({ principal, query: { limit, cursor } }) => {
        const found = await apps.list(visibleTo(principal), { limit: limit + 1, after: cursor });
        return listOf(found, limit, ({ id }) => id, present);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/apps',
      scope: 'organization:admin',
      summary: 'Register an app',
      body: z.strictObject({
        name: displayName,
        kind: z.enum(APP_KINDS),
        environment: z.enum(ENVIRONMENTS),
        redirectUris: redirectUris.default([]),
        scopes,
        requirePkce: z.boolean().default(true),
        homepageUrl: link.optional(),
        logoUrl: link.optional(),
        privacyUrl: link.optional(),
      }),
      answer: newObject,
      status: 201,
      handle: async ({ principal, ip, body: { homepageUrl, logoUrl, privacyUrl, ...rest } }) => {
        const links = { homepageUrl, logoUrl, privacyUrl };
        const { app, secret } = await manageApps.create({ principal, ip }, { ...rest, ...links });
        return { ...present(app), ...(secret ? { clientSecret: secret.reveal() } : {}) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/apps/:id',
      scope: 'organization:read',
      summary: 'Read an app',
      params,
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id } }) => {
        const app = await apps.find(visibleTo(principal), id);
        if (!app) throw notFound();
        return present(app);
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/v1/apps/:id',
      scope: 'organization:admin',
      summary: 'Change an app',
      params,
      body: z
        .strictObject({
          name: displayName,
          redirectUris,
          scopes,
          requirePkce: z.boolean(),
          homepageUrl: link,
          logoUrl: link,
          privacyUrl: link,
        })
        .partial(),
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id }, ip, body }) =>
        present(await manageApps.change({ principal, ip }, id, changeOf(body))),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/v1/apps/:id',
      scope: 'organization:admin',
      summary: 'Delete an app, with its secrets, tokens and what people allowed it',
      params,
      status: 204,
      handle: async ({ principal, params: { id }, ip }) => {
        await manageApps.delete({ principal, ip }, id);
        return undefined;
      },
    }),
  ];
}

function ofSecrets({ manageApps, apps, clock }: { manageApps: Apps; apps: AppStore; clock: Clock }): Route[] {
  const future = z.iso
    .datetime({ offset: true })
    .transform((value) => new Date(value))
    .refine((at) => at > clock(), 'must be in the future');
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

/** An app as `/v1` and the console show it. */
const present = (app: App): z.input<typeof object> => ({
  object: 'app',
  id: app.id,
  name: app.name,
  kind: app.kind,
  environment: app.environment,
  redirectUris: app.redirectUris,
  scopes: app.scopes,
  requirePkce: app.requirePkce,
  homepageUrl: app.homepageUrl ?? null,
  logoUrl: app.logoUrl ?? null,
  privacyUrl: app.privacyUrl ?? null,
  grantTypes: [...GRANT_TYPES[app.kind]],
  createdBy: app.createdBy ?? null,
  createdAt: app.createdAt.toISOString(),
  updatedAt: app.updatedAt.toISOString(),
});

const presentSecret = (secret: ListedAppSecret): z.input<typeof secretObject> => ({
  object: 'app_secret',
  id: secret.id,
  last4: secret.last4,
  createdAt: secret.createdAt.toISOString(),
  expiresAt: secret.expiresAt?.toISOString() ?? null,
  lastUsedAt: secret.lastUsedAt?.toISOString() ?? null,
});

const LINKS = new Set(['homepageUrl', 'logoUrl', 'privacyUrl']);

/** Without what was not sent; a link that was sent as null stays, as undefined, and is removed. */
const changeOf = <T extends object>(body: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value !== undefined || LINKS.has(name)),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };

/** Shown on the consent page, as links and an image: nothing that a browser could read otherwise. */
function isHttpsUrl(text: string): boolean {
  if (!text.startsWith('https://') || /[^\x21-\x7e]|["<>\\^`{|}]/.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '';
}
