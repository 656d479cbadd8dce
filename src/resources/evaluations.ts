import { z } from 'zod';
import { idOf, metadata } from '../kernel/schemas.ts';
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

/** A run of a prompt over a dataset. What it is of is said once, at its creation. */
export type Evaluation = Tracked & { promptId: string | null; datasetId: string | null };

const create = z.strictObject({
  ...trackedFields,
  promptId: idOf('prm').nullable().default(null),
  datasetId: idOf('dst').nullable().default(null),
  metadata: metadata.default({}),
});
const change = trackedChange({});

export type EvaluationFields = z.output<typeof create>;
type EvaluationChange = z.output<typeof change>;

const object = trackedObject('evaluation', 'evl', {
  promptId: idOf('prm').nullable(),
  datasetId: idOf('dst').nullable(),
}).meta({ id: 'Evaluation' });

export const evaluations: Resource<Evaluation, EvaluationFields, EvaluationChange> = {
  name: 'evaluation',
  path: '/v1/evaluations',
  idPrefix: 'evl',
  scopes: { read: 'evaluations:read', write: 'evaluations:write' },
  object,
  create,
  change,
  decide: withStep,
  alsoHappened: ending('evaluation'),
  present: (evaluation): z.input<typeof object> =>
    presentTracked('evaluation', evaluation, {
      promptId: evaluation.promptId,
      datasetId: evaluation.datasetId,
    }),
};
