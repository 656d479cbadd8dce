import { z } from 'zod';
import { idOf, jsonObject, metadata, text, timestamp } from '../kernel/schemas.ts';
import {
  type Progress,
  presentProgress,
  progressMembers,
  resultWithStatus,
  stepFields,
  withStep,
} from './progress.ts';
import type { Resource, Stored } from './resource.ts';

/** A report that is to be made, is being made, or was. What it is made from is said once, at its creation. */
export type Report = Stored &
  Progress & {
    name: string;
    promptId: string | null;
    parameters: Record<string, unknown>;
    metadata: Record<string, string>;
  };

const name = text(1, 200);

const create = z.strictObject({
  name,
  promptId: idOf('prm').nullable().default(null),
  parameters: jsonObject(10_000).default({}),
  metadata: metadata.default({}),
});
const change = z
  .strictObject({ name, metadata, ...stepFields })
  .partial()
  .superRefine(resultWithStatus);

export type ReportFields = z.output<typeof create>;
type ReportChange = z.output<typeof change>;

const object = z
  .object({
    object: z.literal('report'),
    id: idOf('rpt'),
    name: z.string(),
    promptId: idOf('prm').nullable(),
    parameters: z.record(z.string(), z.unknown()),
    metadata: z.record(z.string(), z.string()),
    ...progressMembers,
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Report' });

export const reports: Resource<Report, ReportFields, ReportChange> = {
  name: 'report',
  path: '/v1/reports',
  idPrefix: 'rpt',
  scopes: { read: 'reports:read', write: 'reports:write' },
  object,
  create,
  change,
  decide: withStep,
  present: (report): z.input<typeof object> => ({
    object: 'report',
    id: report.id,
    name: report.name,
    promptId: report.promptId,
    parameters: report.parameters,
    metadata: report.metadata,
    ...presentProgress(report),
    createdAt: report.createdAt.toISOString(),
    updatedAt: report.updatedAt.toISOString(),
  }),
};
