import Router from '@koa/router';
import type { Context } from 'koa';
import { ENVIRONMENTS } from '../../config/environments.ts';
import { seeOther } from '../http/page.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import { AppError } from '../kernel/errors.ts';
import { displayName } from '../kernel/schemas.ts';
import { PERSON_LINKS, placeIn } from './frame.ts';
import { type PipelineDeps, signedIn } from './pipeline.ts';
import type { Person } from './visit.ts';

export type OrganizationPageDeps = Pick<
  PipelineDeps,
  'csrf' | 'renderPage' | 'currentSession' | 'findAccount' | 'membershipsOf'
> & {
  /** The place that the browser was at last; "" for none. */
  remembered(ctx: Context): string;
  createOrganization(organization: { name: string; ownerId: string; ip: string }): Promise<{ id: string }>;
  /** Limits how many one person makes: each has quotas of its own. */
  createLimit: AttemptLimit;
};

/** The ways into an organization: where one was, the first one, or a new one. */
export function organizationPages(deps: OrganizationPageDeps): Router {
  const router = new Router();

  const showForm = async (ctx: Context, person: Person, name = '', error?: string) => {
    const memberships = await deps.membershipsOf(person.id);
    deps.renderPage(
      ctx,
      'console/organization-form',
      {
        action: '/console/organizations/new',
        cancelUrl: memberships.length > 0 ? '/console' : '/',
        first: memberships.length === 0,
        values: { name },
        errors: error === undefined ? {} : { name: error },
      },
      {
        ...(error === undefined ? {} : { status: 422 }),
        signedInAs: person,
        frame: { navLabel: 'Console', nav: [], personLinks: PERSON_LINKS },
      },
    );
  };

  router.get('/console', async (ctx) => {
    const person = await signedIn(ctx, deps);
    if (!person) return;
    const memberships = await deps.membershipsOf(person.id);
    const places = memberships.flatMap(({ organizationId }) =>
      ENVIRONMENTS.map((environment) => placeIn(organizationId, environment)),
    );
    const remembered = deps.remembered(ctx);
    const place = places.includes(remembered) ? remembered : places[0];
    seeOther(ctx, place === undefined ? '/console/organizations/new' : `/console/${place}`);
  });

  router.get('/console/organizations/new', async (ctx) => {
    const person = await signedIn(ctx, deps);
    if (person) await showForm(ctx, person);
  });

  router.post('/console/organizations/new', async (ctx) => {
    const person = await signedIn(ctx, deps);
    if (!person) return;
    const form = await deps.csrf.readForm(ctx);
    const name = displayName.safeParse(form.get('name').trim());
    if (!name.success) return showForm(ctx, person, form.get('name'), 'Use 1 to 100 characters on one line.');
    const { allowed, retryAfterSeconds } = await deps.createLimit.attempt(person.id);
    if (!allowed) {
      throw new AppError('rate_limited', 'You have made several organizations today. Try again tomorrow.', {
        retryAfterSeconds,
      });
    }
    const { id } = await deps.createOrganization({ name: name.data, ownerId: person.id, ip: ctx.ip });
    seeOther(ctx, `/console/${placeIn(id, 'live')}`);
  });

  router.get('/console/:organizationId', (ctx) =>
    seeOther(ctx, `/console/${placeIn(String(ctx['params'].organizationId), 'live')}`),
  );

  return router;
}
