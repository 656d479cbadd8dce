import { z } from 'zod';
import { ENVIRONMENTS } from '../../config/environments.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { futureTime, limitsObject, presentLimits, scopeList, toFigures } from '../http/fields.ts';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { given } from '../kernel/given.ts';
import { isId } from '../kernel/ids.ts';
import { idOf, networkList, text, timestamp } from '../kernel/schemas.ts';
import type { Secret } from '../kernel/secret.ts';
import { visibleTo } from '../principals/principal.ts';
import { type ApiKey, type ApiKeyStore, KEY_PREFIXES, statusOf } from './api-key.ts';
import type { ApiKeys } from './manage.ts';

const DEFAULT_GRACE_SECONDS = 86_400;
const LONGEST_GRACE_SECONDS = 30 * 86_400;

const ALLOWLIST =
  "Addresses and CIDR ranges that the key may be used from. Takes the place of the organization's; empty: those of the organization.";

const object = z
  .object({
    object: z.literal('api_key'),
    id: idOf('key'),
    name: z.string(),
    environment: z.enum(ENVIRONMENTS),
    scopes: z.array(z.enum(ALL_SCOPES)),
    prefix: z.string(),
    last4: z.string(),
    status: z.enum(['active', 'expiring', 'expired', 'revoked']),
    expiresAt: timestamp.nullable(),
    ipAllowlist: z.array(z.string()).meta({ description: ALLOWLIST }),
    limits: limitsObject,
    lastUsedAt: timestamp.nullable(),
    lastUsedIp: z.string().nullable(),
    createdBy: z.string().nullable(),
    createdAt: timestamp,
    rotatedFrom: idOf('key').nullable(),
  })
  .meta({ id: 'ApiKey' });

const objectWithKey = object
  .extend({ key: z.string().meta({ description: 'The key itself: shown in this answer and never again.' }) })
  .meta({ id: 'NewApiKey' });

export type ApiKeyObject = z.output<typeof object>;

const params = z.strictObject({ id: idOf('key') });

/** `/v1/api-keys`. A key may call what is marked `orItself` for itself, whatever its scopes. */
export function apiKeyRoutes(deps: { manageApiKeys: ApiKeys; apiKeys: ApiKeyStore; clock: Clock }): Route[] {
  const { manageApiKeys, apiKeys, clock } = deps;
  const future = futureTime(clock);
  const fields = {
    name: text(1, 100),
    scopes: scopeList,
    ipAllowlist: networkList.meta({ description: ALLOWLIST }),
    limits: limitsObject,
  };
  const present = (key: ApiKey): z.input<typeof object> => presentKey(key, clock());
  const presentNew = ({ apiKey, key }: { apiKey: ApiKey; key: Secret }) => ({
    ...present(apiKey),
    key: key.reveal(),
  });

  return [
    defineRoute({
      method: 'GET',
      path: '/v1/api-keys',
      scope: 'organization:read',
      summary: 'List API keys',
      query: pageQuery((value) => (isId('key', value) ? value : undefined)).extend({
        environment: z.enum(ENVIRONMENTS).optional(),
        usable: z
          .enum(['true', 'false'])
          .optional()
          .meta({ description: 'Only keys that are neither revoked nor expired; or only the others.' }),
      }),
      answer: listSchema(object),
      status: 200,
      handle: async ({ principal, query: { limit: size, cursor, environment, usable } }) => {
        const found = await apiKeys.list(visibleTo(principal, environment), {
          limit: size + 1,
          after: cursor,
          ...(usable === undefined ? {} : { usable: usable === 'true' }),
        });
        return listOf(found, size, ({ id }) => id, present);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/api-keys',
      scope: 'organization:admin',
      summary: 'Create an API key; not with an API key',
      body: z.strictObject({
        ...fields,
        environment: z.enum(ENVIRONMENTS),
        expiresAt: future.nullish().transform((at) => at ?? undefined),
        ipAllowlist: fields.ipAllowlist.default([]),
        limits: limitsObject.default({}),
      }),
      answer: objectWithKey,
      status: 201,
      handle: async ({ principal, body, ip }) =>
        presentNew(
          await manageApiKeys.create({ principal, ip }, { ...body, limits: toFigures(body.limits) }),
        ),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/api-keys/:id',
      scope: 'organization:read',
      orItself: true,
      summary: 'Read an API key',
      params,
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id } }) => {
        const key = await apiKeys.find(visibleTo(principal), id);
        if (!key) throw notFound();
        return present(key);
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/v1/api-keys/:id',
      scope: 'organization:admin',
      summary: 'Change an API key; not with an API key',
      params,
      body: z.strictObject({ ...fields, expiresAt: future.nullable() }).partial(),
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id }, body, ip }) => {
        const { expiresAt, limits, ...rest } = body;
        return present(
          await manageApiKeys.change({ principal, ip }, id, {
            ...given(rest),
            ...(limits === undefined ? {} : { limits: toFigures(limits) }),
            ...(expiresAt === undefined ? {} : { expiresAt: expiresAt ?? undefined }),
          }),
        );
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/v1/api-keys/:id',
      scope: 'organization:admin',
      orItself: true,
      summary: 'Revoke an API key',
      params,
      status: 204,
      handle: async ({ principal, params: { id }, ip }) => {
        await manageApiKeys.revoke({ principal, ip }, id);
        return undefined;
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/api-keys/:id/rotate',
      scope: 'organization:admin',
      orItself: true,
      summary: 'Replace an API key by a new one with the same settings',
      params,
      body: z.strictObject({
        gracePeriodSeconds: z.int().min(0).max(LONGEST_GRACE_SECONDS).default(DEFAULT_GRACE_SECONDS),
      }),
      bodyOptional: true,
      answer: objectWithKey,
      status: 201,
      handle: async ({ principal, params: { id }, body, ip }) =>
        presentNew(await manageApiKeys.rotate({ principal, ip }, id, body.gracePeriodSeconds)),
    }),
  ];
}

/** A key as `/v1` and the console show it; never the key itself. */
const presentKey = (key: ApiKey, now: Date): z.input<typeof object> => ({
  object: 'api_key',
  id: key.id,
  name: key.name,
  environment: key.environment,
  scopes: [...key.scopes],
  prefix: KEY_PREFIXES[key.environment],
  last4: key.last4,
  status: statusOf(key, now),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  ipAllowlist: [...key.ipAllowlist],
  limits: presentLimits(key.limits),
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  lastUsedIp: key.lastUsedIp ?? null,
  createdBy: key.createdBy ?? key.createdByApp ?? null,
  createdAt: key.createdAt.toISOString(),
  rotatedFrom: key.rotatedFrom ?? null,
});
