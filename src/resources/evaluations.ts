import { z } from 'zod';
import { idOf, metadata, text, timestamp } from '../kernel/schemas.ts';
import {
  type Progress,
  presentProgress,
  progressMembers,
  resultWithStatus,
  stepFields,
  withStep,
} from './progress.ts';
import type { Resource, Stored } from './resource.ts';

/** A run of a prompt over a dataset. What it is of is said once, at its creation. */
export type Evaluation = Stored &
  Progress & {
    name: string;
    promptId: string | null;
    datasetId: string | null;
    metadata: Record<string, string>;
  };

const name = text(1, 200);

const create = z.strictObject({
  name,
  promptId: idOf('prm').nullable().default(null),
  datasetId: idOf('dst').nullable().default(null),
  metadata: metadata.default({}),
});
const change = z
  .strictObject({ name, metadata, ...stepFields })
  .partial()
  .superRefine(resultWithStatus);

export type EvaluationFields = z.output<typeof create>;
type EvaluationChange = z.output<typeof change>;

const object = z
  .object({
    object: z.literal('evaluation'),
    id: idOf('evl'),
    name: z.string(),
    promptId: idOf('prm').nullable(),
    datasetId: idOf('dst').nullable(),
    metadata: z.record(z.string(), z.string()),
    ...progressMembers,
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Evaluation' });

export const evaluations: Resource<Evaluation, EvaluationFields, EvaluationChange> = {
  name: 'evaluation',
  path: '/v1/evaluations',
  idPrefix: 'evl',
  scopes: { read: 'evaluations:read', write: 'evaluations:write' },
  object,
  create,
  change,
  decide: withStep,
  present: (evaluation): z.input<typeof object> => ({
    object: 'evaluation',
    id: evaluation.id,
    name: evaluation.name,
    promptId: evaluation.promptId,
    datasetId: evaluation.datasetId,
    metadata: evaluation.metadata,
    ...presentProgress(evaluation),
    createdAt: evaluation.createdAt.toISOString(),
    updatedAt: evaluation.updatedAt.toISOString(),
  }),
};
