import { APP_KIND_NAMES, type AppKind } from '../../config/app-kinds.ts';
import type { AppValues } from '../../views/console/apps.ts';
import type { AppObject } from '../apps/routes.ts';
import type { Form } from '../http/forms.ts';
import { linesOf } from './faults.ts';
import { LIMIT_FIELDS, limitsOfForm, limitValues, limitValuesOfForm } from './limit-fields.ts';

export const APP_FIELDS = [
  'name',
  'kind',
  'redirectUris',
  'postLogoutRedirectUris',
  'scopes',
  'requirePkce',
  ...LIMIT_FIELDS,
  'jwksUri',
  'homepageUrl',
  'logoUrl',
  'privacyUrl',
];

const KINDS: Record<AppKind, { label: string; hint: string }> = {
  web: { label: 'Web app', hint: 'With a server that can keep a secret' },
  spa: { label: 'Single-page app', hint: 'Runs in the browser, keeps no secret' },
  native: { label: 'Native app', hint: 'On a phone, a desktop, a television or in a terminal' },
  service: { label: 'Service', hint: 'Acts for itself, without a person' },
};

export const kindLabel = (kind: AppKind): string => KINDS[kind].label;

export const KIND_CHOICES = APP_KIND_NAMES.map((value) => ({ value, ...KINDS[value] }));

export const EMPTY_APP: AppValues = {
  name: '',
  kind: 'web',
  redirectUris: '',
  postLogoutRedirectUris: '',
  requirePkce: true,
  ...limitValues({}),
  jwksUri: '',
  homepageUrl: '',
  logoUrl: '',
  privacyUrl: '',
};

export const valuesOfForm = (form: Form): AppValues => ({
  name: form.get('name'),
  kind: form.get('kind'),
  redirectUris: form.get('redirectUris'),
  postLogoutRedirectUris: form.get('postLogoutRedirectUris'),
  requirePkce: form.get('requirePkce') !== '',
  ...limitValuesOfForm(form),
  jwksUri: form.get('jwksUri'),
  homepageUrl: form.get('homepageUrl'),
  logoUrl: form.get('logoUrl'),
  privacyUrl: form.get('privacyUrl'),
});

export const valuesOfApp = (app: AppObject): AppValues => ({
  name: app.name,
  kind: app.kind,
  redirectUris: app.redirectUris.join('\n'),
  postLogoutRedirectUris: app.postLogoutRedirectUris.join('\n'),
  requirePkce: app.requirePkce,
  ...limitValues(app.limits),
  jwksUri: app.jwksUri ?? '',
  homepageUrl: app.homepageUrl ?? '',
  logoUrl: app.logoUrl ?? '',
  privacyUrl: app.privacyUrl ?? '',
});

/** What the form asks for, as the API takes it. `kind`: the app's, for the fields that only some kinds have. */
export function bodyOf(form: Form, kind: string) {
  const values = valuesOfForm(form);
  const forPeople = kind !== 'service'; // its other fields are hidden by the style sheet alone
  return {
    name: values.name,
    redirectUris: forPeople ? linesOf(values.redirectUris) : [],
    postLogoutRedirectUris: forPeople ? linesOf(values.postLogoutRedirectUris) : [],
    scopes: [...new Set(form.all('scope'))],
    requirePkce: kind !== 'web' || values.requirePkce,
    limits: limitsOfForm(form),
    jwksUri: kind === 'web' || kind === 'service' ? orNull(values.jwksUri) : null,
    homepageUrl: orNull(values.homepageUrl),
    logoUrl: orNull(values.logoUrl),
    privacyUrl: orNull(values.privacyUrl),
  };
}

const orNull = (text: string): string | null => text.trim() || null;

/** Of what the form asks for, what differs from the app as it is. */
export function changeOf(form: Form, app: AppObject): Record<string, unknown> {
  const before: Record<string, unknown> = { ...app, scopes: [...app.scopes].sort() };
  return Object.fromEntries(
    Object.entries(bodyOf(form, app.kind)).filter(([name, value]) => {
      const wanted = name === 'scopes' && Array.isArray(value) ? [...value].sort() : value;
      return JSON.stringify(before[name]) !== JSON.stringify(wanted);
    }),
  );
}
