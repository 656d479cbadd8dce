import { z } from 'zod';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { isId } from '../kernel/ids.ts';
import { idOf, timestamp } from '../kernel/schemas.ts';
import type { AuditLog, LoggedEvent } from './log.ts';

const object = z
  .object({
    object: z.literal('audit_event'),
    id: idOf('aud'),
    type: z.string(),
    actor: z.object({
      type: z.enum(['user', 'app', 'api_key', 'operator', 'system']),
      id: z.string().nullable(),
    }),
    targetId: z.string().nullable(),
    ip: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    createdAt: timestamp,
  })
  .meta({ id: 'AuditEvent' });

export type AuditEventObject = z.output<typeof object>;

const someId = z
  .string()
  .regex(/^[a-z]+_[0-9a-z]{26}$/, 'must be an id')
  .optional();
const time = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value))
  .optional();

/** `/v1/organization/audit-log`: who changed what. A sandbox credential reads it whole, too. */
export const auditRoutes = ({ auditLog }: { auditLog: AuditLog }): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/organization/audit-log',
    scope: 'organization:read',
    summary: 'List what was changed, and by whom',
    query: pageQuery((value) => (isId('aud', value) ? value : undefined)).extend({
      type: z
        .string()
        .max(100)
        .regex(/^[a-z_]+\.[a-z_]+$/, 'must be a type of event, such as app.created')
        .optional(),
      actorId: someId,
      targetId: someId,
      from: time,
      to: time,
    }),
    answer: listSchema(object),
    status: 200,
    handle: async ({ principal, query: { limit, cursor, ...filter } }) => {
      const page = { limit: limit + 1, after: cursor };
      return listOf(
        await auditLog.list(principal.organizationId, filter, page),
        limit,
        ({ id }) => id,
        present,
      );
    },
  }),
];

const present = (event: LoggedEvent): z.input<typeof object> => ({
  object: 'audit_event',
  id: event.id,
  type: event.type,
  actor: { type: event.actor.type, id: event.actor.id ?? null },
  targetId: event.targetId ?? null,
  ip: event.ip ?? null,
  data: event.data,
  createdAt: event.createdAt.toISOString(),
});
