import Router from '@koa/router';
import type { Sealer } from '../kernel/sealing.ts';
import { type AppPageDeps, appPages } from './app-pages.ts';
import { appSecretPages } from './app-secret-pages.ts';
import { auditPages } from './audit-pages.ts';
import { deliveryPages } from './delivery-pages.ts';
import { type KeyPageDeps, keyPages } from './key-pages.ts';
import { type MemberPageDeps, memberPages } from './member-pages.ts';
import { type OrganizationPageDeps, organizationPages } from './organization-pages.ts';
import { type OverviewDeps, overviewPages } from './overview-pages.ts';
import { consolePages, type PipelineDeps } from './pipeline.ts';
import { createPlaceMemory } from './place-memory.ts';
import { settingsPages } from './settings-pages.ts';
import { tryCallback } from './try-callback.ts';
import { type TryPageDeps, tryPages } from './try-pages.ts';
import { createTryStates } from './try-state.ts';
import { usagePages } from './usage-pages.ts';
import type { ConsolePage } from './visit.ts';
import { webhookPages } from './webhook-pages.ts';

/*
 * The developer console, at /console/<organization>/<environment>/…: pages over the routes of /v1.
 *
 *   visit.ts      what a page is given, and what it has to declare
 *   pipeline.ts   session, membership, scope, form, recent sign-in: the same for every page
 *   calls.ts      the routes of /v1 that pages call, so that no rule is here a second time
 *   *-pages.ts    one subject each
 */

export type ConsoleDeps = Omit<PipelineDeps, 'remember'> &
  Omit<OrganizationPageDeps, 'remembered'> &
  Omit<PageDeps, 'tryStates'> & { sealer: Sealer; secure: boolean };

type PageDeps = OverviewDeps & KeyPageDeps & AppPageDeps & MemberPageDeps & TryPageDeps;

/** All pages inside an organization: what is served, and what the tests walk. */
export const pagesOf = (deps: PageDeps): ConsolePage[] => [
  ...overviewPages(deps),
  ...keyPages(deps),
  ...appPages(deps),
  ...appSecretPages(),
  ...tryPages(deps),
  ...webhookPages(),
  ...deliveryPages(),
  ...memberPages(deps),
  ...usagePages(deps),
  ...auditPages(deps),
  ...settingsPages(),
];

export function consoleRoutes(deps: ConsoleDeps): Router {
  const router = new Router();
  const places = createPlaceMemory(deps);
  const tryStates = createTryStates(deps);
  router.use(tryCallback(tryStates).routes());
  router.use(organizationPages({ ...deps, ...places }).routes());
  router.use(consolePages(pagesOf({ ...deps, tryStates }), { ...deps, ...places }).routes());
  return router;
}
