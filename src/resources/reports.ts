import { z } from 'zod';
import { idOf, jsonObject, metadata } from '../kernel/schemas.ts';
import { withStep } from './progress.ts';
import type { Resource } from './resource.ts';
import {
  ending,
  presentTracked,
  type Tracked,
  trackedChange,
  trackedFields,
  trackedObject,
} from './tracked.ts';

/** A report that is to be made, is being made, or was. What it is made from is said once, at its creation. */
export type Report = Tracked & { promptId: string | null; parameters: Record<string, unknown> };

const create = z.strictObject({
  ...trackedFields,
  promptId: idOf('prm').nullable().default(null),
  parameters: jsonObject(10_000).default({}),
  metadata: metadata.default({}),
});
const change = trackedChange({});

export type ReportFields = z.output<typeof create>;
type ReportChange = z.output<typeof change>;

const object = trackedObject('report', 'rpt', {
  promptId: idOf('prm').nullable(),
  parameters: z.record(z.string(), z.unknown()),
}).meta({ id: 'Report' });

export const reports: Resource<Report, ReportFields, ReportChange> = {
  name: 'report',
  path: '/v1/reports',
  idPrefix: 'rpt',
  scopes: { read: 'reports:read', write: 'reports:write' },
  object,
  create,
  change,
  decide: withStep,
  alsoHappened: ending('report'),
  present: (report): z.input<typeof object> =>
    presentTracked('report', report, { promptId: report.promptId, parameters: report.parameters }),
};
