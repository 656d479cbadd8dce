import type { ApiKeyObject } from '../api-keys/routes.ts';
import { seeOther } from '../http/page.ts';
import { notFound } from '../kernel/errors.ts';
import { curlFor } from './curl.ts';
import { attempt, type Faults } from './faults.ts';
import {
  bodyOf,
  changeOf,
  EMPTY_KEY,
  KEY_FIELDS,
  keyRow,
  maskOf,
  valuesOfForm,
  valuesOfKey,
} from './key-form.ts';
import { presetsFor, scopeGroups, scopesInWords, scopesOf } from './scope-choice.ts';
import { createShowKey, GRACES, type ShowKeyDeps } from './show-key.ts';
import { type ConsolePage, param, queryOf, type Visit } from './visit.ts';

const STORE_NOTES = [
  'Keep it in a secrets manager, or in an environment variable of the server that calls us.',
  'Never put it into a page, an app that people download, or a repository.',
  'We keep only its hash: nobody can show it to you again. Lost it? Rotate the key.',
];

export type KeyPageDeps = ShowKeyDeps & { apiUrl: string };

/** API keys: list, make, look, change, rotate, revoke. */
export function keyPages(deps: KeyPageDeps): ConsolePage[] {
  const { apiUrl, clock, namesOf } = deps;
  const showKey = createShowKey(deps);

  const showForm = async (
    visit: Visit,
    key: ApiKeyObject | undefined,
    faults?: Faults,
    form?: Parameters<typeof bodyOf>[0],
  ) => {
    const { ipAllowlist } = await visit.call('GET /v1/organization');
    visit.render(
      'console/key-form',
      {
        action: visit.url(key ? `/keys/${key.id}/edit` : '/keys/new'),
        cancelUrl: visit.url(key ? `/keys/${key.id}` : '/keys'),
        environment: visit.environment,
        editing: key?.name,
        values: form ? valuesOfForm(form) : key ? valuesOfKey(key) : EMPTY_KEY,
        errors: faults?.fields ?? {},
        notice: faults?.notice,
        presets: presetsFor(visit.role),
        scopes: scopeGroups(form ? scopesOf(form) : (key?.scopes ?? []), visit.role),
        defaultAllowlist: ipAllowlist,
        tomorrow: new Date(clock().getTime() + 86_400_000).toISOString().slice(0, 10),
      },
      faults ? { status: faults.status } : {},
    );
  };

  const showSecret = (visit: Visit, key: ApiKeyObject & { key: string }, title: string, lead: string) =>
    visit.render('console/secret', {
      title,
      lead,
      label: 'API key',
      value: key.key,
      variable: 'PROMPTREPORTS_API_KEY',
      notes: STORE_NOTES,
      curl: curlFor(apiUrl, '$PROMPTREPORTS_API_KEY'),
      facts: [],
      doneUrl: visit.url(`/keys/${key.id}`),
    });

  return [
    {
      method: 'GET',
      path: '/keys',
      scope: 'organization:read',
      handle: async (visit) => {
        const ended = queryOf(visit, 'ended') !== '';
        const list = await visit.call('GET /v1/api-keys', {
          query: {
            environment: visit.environment,
            usable: String(!ended),
            cursor: queryOf(visit, 'cursor') || undefined,
          },
        });
        const names = await namesOf(list.data.map(({ createdBy }) => createdBy));
        const here = visit.url(`/keys${ended ? '?ended=1' : ''}`);
        visit.render('console/keys', {
          environment: visit.environment,
          keys: list.data.map((key) => ({
            ...keyRow(key, visit.url(`/keys/${key.id}`)),
            may: scopesInWords(key.scopes),
            createdBy: names(key.createdBy),
          })),
          ended,
          lists: [
            { label: 'In use', url: visit.url('/keys'), current: !ended },
            { label: 'Ended', url: visit.url('/keys?ended=1'), current: ended },
          ],
          nextUrl: list.nextCursor ? `${here}${ended ? '&' : '?'}cursor=${list.nextCursor}` : undefined,
          newUrl: visit.may('organization:admin') ? visit.url('/keys/new') : undefined,
          curl: curlFor(apiUrl, '$PROMPTREPORTS_API_KEY'),
        });
      },
    },
    {
      method: 'GET',
      path: '/keys/new',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => showForm(visit, undefined),
    },
    {
      method: 'POST',
      path: '/keys/new',
      scope: 'organization:admin',
      recent: 'keep',
      handle: async (visit, form) => {
        const { done, faults } = await attempt(KEY_FIELDS, () =>
          visit.call('POST /v1/api-keys', { body: { ...bodyOf(form), environment: visit.environment } }),
        );
        if (faults) return showForm(visit, undefined, faults, form);
        showSecret(
          visit,
          done,
          'Your new API key',
          `“${done.name}” works from now on. Copy it now: it is shown this once.`,
        );
      },
    },
    {
      method: 'GET',
      path: '/keys/:id',
      scope: 'organization:read',
      handle: async (visit) => showKey(visit, await findKey(visit)),
    },
    {
      method: 'GET',
      path: '/keys/:id/edit',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => showForm(visit, await findKey(visit)),
    },
    {
      method: 'POST',
      path: '/keys/:id/edit',
      scope: 'organization:admin',
      recent: 'keep',
      handle: async (visit, form) => {
        const key = await findKey(visit);
        const body = changeOf(form, key);
        const { faults } = await attempt(KEY_FIELDS, () =>
          visit.call('PATCH /v1/api-keys/:id', { params: { id: key.id }, body }),
        );
        if (faults) return showForm(visit, key, faults, form);
        seeOther(visit.ctx, visit.url(`/keys/${key.id}?saved=1`));
      },
    },
    {
      method: 'POST',
      path: '/keys/:id/rotate',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit, form) => {
        const key = await findKey(visit);
        const grace = form.get('grace');
        const { done, faults } = await attempt([], () =>
          visit.call('POST /v1/api-keys/:id/rotate', {
            params: { id: key.id },
            body: { gracePeriodSeconds: Number(grace) },
          }),
        );
        if (faults) return showKey(visit, key, faults, grace);
        const ends = GRACES.find(({ value }) => value === grace)?.label.toLowerCase() ?? 'later';
        showSecret(
          visit,
          done,
          'The new API key',
          `The old one, ${maskOf(key)}, ends ${ends}. Copy the new one now: it is shown this once.`,
        );
      },
    },
    {
      method: 'GET',
      path: '/keys/:id/revoke',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => {
        const key = await findKey(visit);
        visit.render('console/confirm', {
          title: `Revoke “${key.name}”?`,
          paragraphs: [
            `${maskOf(key)} stops working within a second, wherever it is used. This can not be undone.`,
            key.lastUsedAt
              ? `It was last used from ${key.lastUsedIp ?? 'an unknown address'}: whoever that is will be refused.`
              : 'It was never used.',
          ],
          action: visit.url(`/keys/${key.id}/revoke`),
          submit: 'Revoke the key',
          cancelUrl: visit.url(`/keys/${key.id}`),
        });
      },
    },
    {
      method: 'POST',
      path: '/keys/:id/revoke',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => {
        const { id } = await findKey(visit);
        await visit.call('DELETE /v1/api-keys/:id', { params: { id } });
        seeOther(visit.ctx, visit.url(`/keys/${id}`));
      },
    },
  ];
}

/** The other environment's are not here. */
async function findKey(visit: Visit): Promise<ApiKeyObject> {
  const key = await visit.call('GET /v1/api-keys/:id', { params: { id: param(visit, 'id') } });
  if (key.environment !== visit.environment) throw notFound();
  return key;
}
