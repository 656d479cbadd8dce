import { z } from 'zod';
import { jsonObjects, metadata, text } from '../kernel/schemas.ts';
import { withStep } from './progress.ts';
import type { Resource } from './resource.ts';
import { presentTracked, type Tracked, trackedChange, trackedFields, trackedObject } from './tracked.ts';

export type Dataset = Tracked & {
  description: string | null;
  /** Absent in lists: a hundred datasets may be as many megabytes. */
  items?: Record<string, unknown>[];
  itemCount: number;
};

const fields = { description: text(1, 2_000).nullable(), items: jsonObjects(1_000, 1_000_000) };

const create = z.strictObject({
  ...trackedFields,
  description: fields.description.default(null),
  items: fields.items.default([]),
  metadata: metadata.default({}),
});
const change = trackedChange(fields);

export type DatasetFields = z.output<typeof create>;
type DatasetChange = z.output<typeof change>;

const object = trackedObject('dataset', 'dst', {
  description: z.string().nullable(),
  items: z.array(z.record(z.string(), z.unknown())).optional().meta({ description: 'Left out of lists.' }),
  itemCount: z.int(),
}).meta({ id: 'Dataset' });

export const datasets: Resource<Dataset, DatasetFields, DatasetChange> = {
  name: 'dataset',
  path: '/v1/datasets',
  idPrefix: 'dst',
  scopes: { read: 'evaluations:read', write: 'evaluations:write' },
  object,
  create,
  change,
  decide: withStep,
  present: (dataset): z.input<typeof object> =>
    presentTracked('dataset', dataset, {
      description: dataset.description,
      ...(dataset.items ? { items: dataset.items } : {}),
      itemCount: dataset.itemCount,
    }),
};
