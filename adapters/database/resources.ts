import type { Dataset, DatasetFields } from '../../src/resources/datasets.ts';
import type { Evaluation, EvaluationFields } from '../../src/resources/evaluations.ts';
import type { Report, ReportFields } from '../../src/resources/reports.ts';
import type { ResourceStores } from '../../src/resources/routes.ts';
import type { Database } from './database.ts';
import { createFolderStore } from './folders.ts';
import { createPromptStore } from './prompts.ts';
import { createResourceStore } from './resource-store.ts';

const PROGRESS = ['status', 'result', 'error', 'completedAt'] as const;

/** Every resource's store. */
export const createResourceStores = (database: Database): ResourceStores => ({
  prompts: createPromptStore(database),
  folders: createFolderStore(database),
  reports: createResourceStore<Report, ReportFields>(database, {
    name: 'reports',
    members: ['name', 'promptId', 'parameters', 'metadata', ...PROGRESS],
    json: ['parameters', 'metadata', 'result'],
    references: ['promptId'],
  }),
  evaluations: createResourceStore<Evaluation, EvaluationFields>(database, {
    name: 'evaluations',
    members: ['name', 'promptId', 'datasetId', 'metadata', ...PROGRESS],
    json: ['metadata', 'result'],
    references: ['promptId', 'datasetId'],
  }),
  datasets: createResourceStore<Dataset, DatasetFields>(database, {
    name: 'datasets',
    members: ['name', 'description', 'items', 'itemCount', 'metadata', ...PROGRESS],
    json: ['items', 'metadata', 'result'],
    notInLists: ['items'],
  }),
});
