import { z } from 'zod';
import type { IdPrefix } from '../kernel/ids.ts';
import { idOf, jsonObject, metadata, text, timestamp } from '../kernel/schemas.ts';
import { type Progress, STATUSES, type Step } from './progress.ts';
import type { Stored } from './resource.ts';

/* The shapes of records that a worker moves on: reports, evaluations and datasets. */

/** What a worker may write. */
const stepFields = {
  status: z.enum(STATUSES),
  result: jsonObject(100_000),
  error: text(1, 2_000),
};

/** A result comes with the status completed, an error with failed. */
function resultWithStatus(step: Step, context: z.RefinementCtx): void {
  for (const [member, status] of [
    ['result', 'completed'],
    ['error', 'failed'],
  ] as const) {
    if (step[member] === undefined || step.status === status) continue;
    context.addIssue({ code: 'custom', path: [member], message: `comes with the status ${status} only` });
  }
}

/** What every record with a status has, beside its own members. */
export type Tracked = Stored & Progress & { name: string; metadata: Record<string, string> };

/** The body of a change: the record's own members, and the step that a worker reports. */
export const trackedChange = <Fields extends z.ZodRawShape>(fields: Fields) =>
  z
    .strictObject({ ...trackedFields, ...fields, ...stepFields })
    .partial()
    .superRefine((change, context) => resultWithStatus(change as Step, context));

/** What else an update was: the step that ended the work. */
export const ending =
  (name: 'report' | 'evaluation') =>
  ({ status: from }: Progress, { status: to }: Progress) =>
    to !== from && (to === 'completed' || to === 'failed')
      ? [{ type: `${name}.${to}` as const, data: {} }]
      : [];

/** What may be given at creation and changed later. */
export const trackedFields = { name: text(1, 200), metadata };

/** The object that answers show, `own` in the middle. */
export const trackedObject = <Name extends string, Own extends z.ZodRawShape>(
  name: Name,
  idPrefix: IdPrefix,
  own: Own,
) =>
  z.object({
    object: z.literal(name),
    id: idOf(idPrefix),
    name: z.string(),
    ...own,
    metadata: z.record(z.string(), z.string()),
    status: z.enum(STATUSES),
    result: z.record(z.string(), z.unknown()).nullable(),
    error: z.string().nullable(),
    completedAt: timestamp.nullable().meta({ description: 'When it was completed or failed.' }),
    createdAt: timestamp,
    updatedAt: timestamp,
  });

export const presentTracked = <Name extends string, Own extends object>(
  name: Name,
  item: Tracked,
  own: Own,
) => ({
  object: name,
  id: item.id,
  name: item.name,
  ...own,
  metadata: item.metadata,
  status: item.status,
  result: item.result,
  error: item.error,
  completedAt: item.completedAt?.toISOString() ?? null,
  createdAt: item.createdAt.toISOString(),
  updatedAt: item.updatedAt.toISOString(),
});
