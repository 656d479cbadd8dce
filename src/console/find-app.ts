import type { AppObject } from '../apps/routes.ts';
import { notFound } from '../kernel/errors.ts';
import { param, type Visit } from './visit.ts';

/** The app that the path names. The other environment's are not here. */
export async function findApp(visit: Visit): Promise<AppObject> {
  const app = await visit.call('GET /v1/apps/:id', { params: { id: param(visit, 'id') } });
  if (app.environment !== visit.environment) throw notFound();
  return app;
}
