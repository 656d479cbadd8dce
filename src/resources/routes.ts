import type { Route } from '../http/route.ts';
import { type Dataset, type DatasetFields, datasets } from './datasets.ts';
import { type Evaluation, type EvaluationFields, evaluations } from './evaluations.ts';
import { type FolderStore, folders } from './folders.ts';
import { promptRoutes } from './prompt-routes.ts';
import type { PromptStore } from './prompts.ts';
import type { RecordDeps } from './records.ts';
import { type Report, type ReportFields, reports } from './reports.ts';
import type { ResourceStore } from './resource.ts';
import { resourceRoutes } from './resource-routes.ts';

export type ResourceStores = {
  prompts: PromptStore;
  folders: FolderStore;
  reports: ResourceStore<Report, ReportFields>;
  evaluations: ResourceStore<Evaluation, EvaluationFields>;
  datasets: ResourceStore<Dataset, DatasetFields>;
};

/** Every resource's routes. */
export const allResourceRoutes = (stores: ResourceStores, deps: RecordDeps): Route[] => [
  ...promptRoutes(stores.prompts, deps),
  ...resourceRoutes(folders(stores.folders), stores.folders, deps),
  ...resourceRoutes(reports, stores.reports, deps),
  ...resourceRoutes(evaluations, stores.evaluations, deps),
  ...resourceRoutes(datasets, stores.datasets, deps),
];
