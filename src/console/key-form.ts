import type { KeyRow, KeyValues } from '../../views/console/keys.ts';
import type { ApiKeyObject } from '../api-keys/routes.ts';
import type { Form } from '../http/forms.ts';
import { linesOf } from './faults.ts';
import { LIMIT_FIELDS, limitsOfForm, limitValues, limitValuesOfForm } from './limit-fields.ts';
import { presetOf, scopesOf } from './scope-choice.ts';

export const KEY_FIELDS = ['name', 'scopes', 'expiresAt', 'ipAllowlist', ...LIMIT_FIELDS];

export const EMPTY_KEY: KeyValues = {
  name: '',
  preset: 'read',
  expiresOn: '',
  ipAllowlist: '',
  ...limitValues({}),
};

export const valuesOfForm = (form: Form): KeyValues => ({
  name: form.get('name'),
  preset: form.get('preset'),
  expiresOn: form.get('expiresOn'),
  ipAllowlist: form.get('ipAllowlist'),
  ...limitValuesOfForm(form),
});

export const valuesOfKey = (key: ApiKeyObject): KeyValues => ({
  name: key.name,
  preset: presetOf(key.scopes),
  expiresOn: key.expiresAt?.slice(0, 10) ?? '',
  ipAllowlist: key.ipAllowlist.join('\n'),
  ...limitValues(key.limits),
});

/** What the form asks for, as the API takes it; nothing is judged here. */
export function bodyOf(form: Form) {
  const values = valuesOfForm(form);
  return {
    name: values.name,
    scopes: scopesOf(form),
    expiresAt: values.expiresOn === '' ? null : `${values.expiresOn}T23:59:59.999Z`,
    ipAllowlist: linesOf(values.ipAllowlist),
    limits: limitsOfForm(form),
  };
}

/** Of what the form asks for, what differs from the key as it is. A day that stayed is no change of the hour. */
export function changeOf(form: Form, key: ApiKeyObject): Record<string, unknown> {
  const { expiresAt, ...wanted } = bodyOf(form);
  const before: Record<string, unknown> = { ...key, scopes: [...key.scopes].sort() };
  const after: Record<string, unknown> = { ...wanted, scopes: [...wanted.scopes].sort() };
  return {
    ...Object.fromEntries(
      Object.entries(wanted).filter(([name]) => JSON.stringify(before[name]) !== JSON.stringify(after[name])),
    ),
    ...((expiresAt?.slice(0, 10) ?? null) === (key.expiresAt?.slice(0, 10) ?? null) ? {} : { expiresAt }),
  };
}

export const maskOf = ({ prefix, last4 }: { prefix: string; last4: string }): string => `${prefix}…${last4}`;

export const keyRow = (key: ApiKeyObject, url: string): KeyRow => ({
  id: key.id,
  url,
  name: key.name,
  mask: maskOf(key),
  status: key.status,
  scopes: key.scopes,
  createdAt: key.createdAt,
  expiresAt: key.expiresAt ?? undefined,
  lastUsedAt: key.lastUsedAt ?? undefined,
  lastUsedIp: key.lastUsedIp ?? undefined,
});
