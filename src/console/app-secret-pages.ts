import type { AppObject } from '../apps/routes.ts';
import { seeOther } from '../http/page.ts';
import { attempt, type Faults } from './faults.ts';
import { findApp } from './find-app.ts';
import { type ConsolePage, param, type Visit } from './visit.ts';

const STORE_NOTES = [
  'Keep it in a secrets manager, or in an environment variable of the app’s server.',
  'It proves the app, not a person: whoever has it can redeem the codes that the app gets.',
  'We keep only its hash: nobody can show it to you again. Lost it? Add another, then delete this one.',
];

/** An app's client secrets: several may be valid at once, so that one can be replaced without an outage. */
export function appSecretPages(): ConsolePage[] {
  const showForm = (visit: Visit, app: AppObject, expiresOn = '', faults?: Faults) =>
    visit.render(
      'console/app-secret-form',
      {
        action: visit.url(`/apps/${app.id}/secrets/new`),
        cancelUrl: visit.url(`/apps/${app.id}`),
        app: app.name,
        values: { expiresOn },
        errors: faults?.fields ?? {},
        notice: faults?.notice,
      },
      faults ? { status: faults.status } : {},
    );

  const showDelete = (visit: Visit, app: AppObject, faults?: Faults) =>
    visit.render(
      'console/confirm',
      {
        title: 'Delete this secret?',
        paragraphs: [
          `A server that still authenticates “${app.name}” with it will be refused at once. This can not be undone.`,
        ],
        action: visit.url(`/apps/${app.id}/secrets/${param(visit, 'secretId')}/delete`),
        submit: 'Delete the secret',
        cancelUrl: visit.url(`/apps/${app.id}`),
        notice: faults?.notice,
      },
      faults ? { status: faults.status } : {},
    );

  return [
    {
      method: 'GET',
      path: '/apps/:id/secrets/new',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => showForm(visit, await findApp(visit)),
    },
    {
      method: 'POST',
      path: '/apps/:id/secrets/new',
      scope: 'organization:admin',
      recent: 'keep',
      handle: async (visit, form) => {
        const app = await findApp(visit);
        const expiresOn = form.get('expiresOn');
        const { done, faults } = await attempt(['expiresAt'], () =>
          visit.call('POST /v1/apps/:id/secrets', {
            params: { id: app.id },
            body: { expiresAt: expiresOn === '' ? null : `${expiresOn}T23:59:59.999Z` },
          }),
        );
        if (faults) return showForm(visit, app, expiresOn, faults);
        showClientSecret(visit, app, done.clientSecret, 'A new client secret');
      },
    },
    {
      method: 'GET',
      path: '/apps/:id/secrets/:secretId/delete',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => showDelete(visit, await findApp(visit)),
    },
    {
      method: 'POST',
      path: '/apps/:id/secrets/:secretId/delete',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => {
        const app = await findApp(visit);
        const { faults } = await attempt([], () =>
          visit.call('DELETE /v1/apps/:id/secrets/:secretId', {
            params: { id: app.id, secretId: param(visit, 'secretId') },
          }),
        );
        if (faults) return showDelete(visit, app, faults);
        seeOther(visit.ctx, visit.url(`/apps/${app.id}`));
      },
    },
  ];
}

/** A client secret, this once. */
export function showClientSecret(visit: Visit, app: AppObject, value: string, title: string): void {
  visit.render('console/secret', {
    title,
    lead: 'Copy the secret now: it is shown this once.',
    label: 'Client secret',
    value,
    variable: 'PROMPTREPORTS_CLIENT_SECRET',
    notes: STORE_NOTES,
    facts: [{ label: 'Client id', value: app.id }],
    doneUrl: visit.url(`/apps/${app.id}`),
  });
}
