import { APP_KINDS } from '../../config/app-kinds.ts';
import type { AppRow } from '../../views/console/apps.ts';
import type { AppObject } from '../apps/routes.ts';
import type { Form } from '../http/forms.ts';
import { seeOther } from '../http/page.ts';
import {
  APP_FIELDS,
  bodyOf,
  changeOf,
  EMPTY_APP,
  KIND_CHOICES,
  kindLabel,
  valuesOfApp,
  valuesOfForm,
} from './app-form.ts';
import { showClientSecret } from './app-secret-pages.ts';
import { attempt, type Faults } from './faults.ts';
import { findApp } from './find-app.ts';
import { limitsInWords } from './limit-fields.ts';
import type { NamesOf } from './names.ts';
import { scopeGroups } from './scope-choice.ts';
import { type ConsolePage, queryOf, type Visit } from './visit.ts';

export type AppPageDeps = { apiUrl: string; webUrl: string; namesOf: NamesOf };

/** Apps: list, register by kind, look, change, delete. */
export function appPages({ apiUrl, webUrl, namesOf }: AppPageDeps): ConsolePage[] {
  const showForm = (visit: Visit, app?: AppObject, faults?: Faults, form?: Form) =>
    visit.render(
      'console/app-form',
      {
        action: visit.url(app ? `/apps/${app.id}/edit` : '/apps/new'),
        cancelUrl: visit.url(app ? `/apps/${app.id}` : '/apps'),
        environment: visit.environment,
        editing: app?.name,
        values: {
          ...(form ? valuesOfForm(form) : app ? valuesOfApp(app) : EMPTY_APP),
          ...(app ? { kind: app.kind } : {}), // for good, from its registration on
        },
        kinds: KIND_CHOICES,
        errors: faults?.fields ?? {},
        notice: faults?.notice,
        scopes: scopeGroups(form ? form.all('scope') : (app?.scopes ?? []), visit.role),
      },
      faults ? { status: faults.status } : {},
    );

  return [
    {
      method: 'GET',
      path: '/apps',
      scope: 'organization:read',
      handle: async (visit) => {
        const list = await visit.call('GET /v1/apps', {
          query: { environment: visit.environment, cursor: queryOf(visit, 'cursor') || undefined },
        });
        visit.render('console/apps', {
          environment: visit.environment,
          apps: list.data.map((app) => appRow(visit, app)),
          nextUrl: list.nextCursor ? visit.url(`/apps?cursor=${list.nextCursor}`) : undefined,
          newUrl: visit.may('organization:admin') ? visit.url('/apps/new') : undefined,
        });
      },
    },
    {
      method: 'GET',
      path: '/apps/new',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => showForm(visit),
    },
    {
      method: 'POST',
      path: '/apps/new',
      scope: 'organization:admin',
      recent: 'keep',
      handle: async (visit, form) => {
        const kind = form.get('kind');
        const body = { ...bodyOf(form, kind), kind, environment: visit.environment };
        const { done, faults } = await attempt(APP_FIELDS, () => visit.call('POST /v1/apps', { body }));
        if (faults) return showForm(visit, undefined, faults, form);
        if (done.clientSecret === undefined)
          return seeOther(visit.ctx, visit.url(`/apps/${done.id}?saved=1`));
        showClientSecret(visit, done, done.clientSecret, `“${done.name}” is registered`);
      },
    },
    {
      method: 'GET',
      path: '/apps/:id',
      scope: 'organization:read',
      handle: async (visit) => {
        const app = await findApp(visit);
        const may = visit.may('organization:admin');
        const { confidential } = APP_KINDS[app.kind];
        const secrets = confidential
          ? await visit.call('GET /v1/apps/:id/secrets', { params: { id: app.id } })
          : undefined;
        const names = await namesOf([app.createdBy]);
        visit.render('console/app', {
          app: {
            ...appRow(visit, app),
            scopes: app.scopes,
            redirectUris: app.redirectUris,
            postLogoutRedirectUris: app.postLogoutRedirectUris,
            requirePkce: app.requirePkce,
            limits: limitsInWords(app.limits),
            keys: app.jwksUri ?? (app.jwks ? `${app.jwks.keys.length} given in the registration` : undefined),
            homepageUrl: app.homepageUrl ?? undefined,
            privacyUrl: app.privacyUrl ?? undefined,
            createdBy: names(app.createdBy),
            historyUrl: visit.url(`/audit-log?targetId=${app.id}`),
          },
          endpoints: [
            ...(app.kind === 'service' ? [] : [{ label: 'Authorize', url: `${webUrl}/oauth/authorize` }]),
            { label: 'Token', url: `${apiUrl}/oauth/token` },
            { label: 'Discovery', url: `${apiUrl}/.well-known/openid-configuration` },
          ],
          secrets: secrets?.data.map((secret) => ({
            last4: secret.last4,
            createdAt: secret.createdAt,
            expiresAt: secret.expiresAt ?? undefined,
            lastUsedAt: secret.lastUsedAt ?? undefined,
            deleteUrl: may ? visit.url(`/apps/${app.id}/secrets/${secret.id}/delete`) : undefined,
          })),
          saved: queryOf(visit, 'saved') !== '',
          manage: may
            ? {
                editUrl: visit.url(`/apps/${app.id}/edit`),
                tryUrl: visit.url(`/apps/${app.id}/try`),
                deleteUrl: visit.url(`/apps/${app.id}/delete`),
                addSecretUrl: confidential ? visit.url(`/apps/${app.id}/secrets/new`) : undefined,
              }
            : undefined,
        });
      },
    },
    {
      method: 'GET',
      path: '/apps/:id/edit',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => showForm(visit, await findApp(visit)),
    },
    {
      method: 'POST',
      path: '/apps/:id/edit',
      scope: 'organization:admin',
      recent: 'keep',
      handle: async (visit, form) => {
        const app = await findApp(visit);
        const body = changeOf(form, app);
        const { faults } = await attempt(APP_FIELDS, () =>
          visit.call('PATCH /v1/apps/:id', { params: { id: app.id }, body }),
        );
        if (faults) return showForm(visit, app, faults, form);
        seeOther(visit.ctx, visit.url(`/apps/${app.id}?saved=1`));
      },
    },
    {
      method: 'GET',
      path: '/apps/:id/delete',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => {
        const app = await findApp(visit);
        visit.render('console/confirm', {
          title: `Delete “${app.name}”?`,
          paragraphs: [
            'Its secrets, its tokens and everything that people allowed it end at once. This can not be undone.',
            'To stop a leaked secret alone, add a new secret and delete the old one.',
          ],
          action: visit.url(`/apps/${app.id}/delete`),
          submit: 'Delete the app',
          cancelUrl: visit.url(`/apps/${app.id}`),
        });
      },
    },
    {
      method: 'POST',
      path: '/apps/:id/delete',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => {
        const { id } = await findApp(visit);
        await visit.call('DELETE /v1/apps/:id', { params: { id } });
        seeOther(visit.ctx, visit.url('/apps'));
      },
    },
  ];
}

const appRow = (visit: Visit, app: AppObject): AppRow => ({
  id: app.id,
  url: visit.url(`/apps/${app.id}`),
  name: app.name,
  kind: kindLabel(app.kind),
  logoUrl: app.logoUrl ?? undefined,
  createdAt: app.createdAt,
});
