import { z } from 'zod';
import { idOf, jsonObjects, metadata, text, timestamp } from '../kernel/schemas.ts';
import {
  type Progress,
  presentProgress,
  progressMembers,
  resultWithStatus,
  stepFields,
  withStep,
} from './progress.ts';
import type { Resource, Stored } from './resource.ts';

export type Dataset = Stored &
  Progress & {
    name: string;
    description: string | null;
    /** Absent in lists: a hundred datasets may be as many megabytes. */
    items?: Record<string, unknown>[];
    itemCount: number;
    metadata: Record<string, string>;
  };

const fields = {
  name: text(1, 200),
  description: text(1, 2_000).nullable(),
  items: jsonObjects(1_000, 1_000_000),
  metadata,
};

const create = z.strictObject({
  ...fields,
  description: fields.description.default(null),
  items: fields.items.default([]),
  metadata: metadata.default({}),
});
const change = z
  .strictObject({ ...fields, ...stepFields })
  .partial()
  .superRefine(resultWithStatus);

export type DatasetFields = z.output<typeof create>;
type DatasetChange = z.output<typeof change>;

const object = z
  .object({
    object: z.literal('dataset'),
    id: idOf('dst'),
    name: z.string(),
    description: z.string().nullable(),
    items: z.array(z.record(z.string(), z.unknown())).optional().meta({ description: 'Left out of lists.' }),
    itemCount: z.int(),
    metadata: z.record(z.string(), z.string()),
    ...progressMembers,
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Dataset' });

export const datasets: Resource<Dataset, DatasetFields, DatasetChange> = {
  name: 'dataset',
  path: '/v1/datasets',
  idPrefix: 'dst',
  scopes: { read: 'evaluations:read', write: 'evaluations:write' },
  object,
  create,
  change,
  decide: withStep,
  present: (dataset): z.input<typeof object> => ({
    object: 'dataset',
    id: dataset.id,
    name: dataset.name,
    description: dataset.description,
    ...(dataset.items ? { items: dataset.items } : {}),
    itemCount: dataset.itemCount,
    metadata: dataset.metadata,
    ...presentProgress(dataset),
    createdAt: dataset.createdAt.toISOString(),
    updatedAt: dataset.updatedAt.toISOString(),
  }),
};
