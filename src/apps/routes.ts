import { z } from 'zod';
import { APP_KIND_NAMES, APP_KINDS, authMethodOf } from '../../config/app-kinds.ts';
import { ENVIRONMENTS } from '../../config/environments.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { limitsObject, presentLimits, scopeList, toFigures } from '../http/fields.ts';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import { displayName, idOf, timestamp } from '../kernel/schemas.ts';
import { visibleTo } from '../principals/principal.ts';
import type { App, AppStore } from './app.ts';
import { jwks, jwksUri, link, redirectUris, securityProfile, tokenSigningAlg } from './app-fields.ts';
import type { Apps } from './manage.ts';

const object = z
  .object({
    object: z.literal('app'),
    id: idOf('app').meta({ description: 'The client_id.' }),
    name: z.string(),
    kind: z.enum(APP_KIND_NAMES),
    environment: z.enum(ENVIRONMENTS),
    redirectUris: z.array(z.string()),
    scopes: z.array(z.enum(ALL_SCOPES)),
    requirePkce: z.boolean(),
    postLogoutRedirectUris: z.array(z.string()),
    tokenEndpointAuthMethod: z.enum(['client_secret_basic', 'private_key_jwt', 'none']),
    jwks: z.looseObject({ keys: z.array(z.looseObject({})) }).nullable(),
    jwksUri: z.string().nullable(),
    limits: limitsObject,
    tokenSigningAlg,
    securityProfile,
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

export type AppObject = z.output<typeof object>;

const params = z.strictObject({ id: idOf('app') });

/** `/v1/apps`: OAuth clients as their developers see them. */
export function appRoutes({ manageApps, apps }: { manageApps: Apps; apps: AppStore }): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/apps',
      scope: 'organization:read',
      summary: 'List apps',
      query: pageQuery((value) => (isId('app', value) ? value : undefined)).extend({
        environment: z.enum(ENVIRONMENTS).optional(),
      }),
      answer: listSchema(object),
      status: 200,
      handle: async ({ principal, query: { limit, cursor, environment } }) => {
        const found = await apps.list(visibleTo(principal, environment), { limit: limit + 1, after: cursor });
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
        kind: z.enum(APP_KIND_NAMES),
        environment: z.enum(ENVIRONMENTS),
        redirectUris: redirectUris.default([]),
        scopes: scopeList,
        requirePkce: z.boolean().default(true),
        postLogoutRedirectUris: redirectUris.default([]),
        jwks: jwks.optional(),
        jwksUri: jwksUri.optional(),
        limits: limitsObject.default({}),
        tokenSigningAlg: tokenSigningAlg.default('RS256'),
        securityProfile: securityProfile.default('standard'),
        homepageUrl: link.optional(),
        logoUrl: link.optional(),
        privacyUrl: link.optional(),
      }),
      answer: newObject,
      status: 201,
      handle: async ({
        principal,
        ip,
        body: { homepageUrl, logoUrl, privacyUrl, jwks, jwksUri, limits, ...rest },
      }) => {
        const links = { homepageUrl, logoUrl, privacyUrl, jwks, jwksUri };
        const { app, secret } = await manageApps.create(
          { principal, ip },
          { ...rest, ...links, limits: toFigures(limits) },
        );
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
          scopes: scopeList,
          requirePkce: z.boolean(),
          postLogoutRedirectUris: redirectUris,
          jwks,
          jwksUri,
          limits: limitsObject.transform(toFigures),
          tokenSigningAlg,
          securityProfile,
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
  postLogoutRedirectUris: app.postLogoutRedirectUris,
  tokenEndpointAuthMethod: authMethodOf(app),
  jwks: app.jwks ?? null,
  jwksUri: app.jwksUri ?? null,
  limits: presentLimits(app.limits),
  tokenSigningAlg: app.tokenSigningAlg,
  securityProfile: app.securityProfile,
  homepageUrl: app.homepageUrl ?? null,
  logoUrl: app.logoUrl ?? null,
  privacyUrl: app.privacyUrl ?? null,
  grantTypes: [...APP_KINDS[app.kind].grantTypes],
  createdBy: app.createdBy ?? null,
  createdAt: app.createdAt.toISOString(),
  updatedAt: app.updatedAt.toISOString(),
});

const REMOVABLE = new Set(['homepageUrl', 'logoUrl', 'privacyUrl', 'jwks', 'jwksUri']);

/** Without what was not sent; what may be null and was sent so stays, as undefined, and is removed. */
const changeOf = <T extends object>(body: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value !== undefined || REMOVABLE.has(name)),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
