import { SCOPES } from '../../config/scopes.ts';
import { inAccount } from '../../src/accounts/frame.ts';
import type { Variant } from './variant.ts';

const LONG = 'a.very.long.address.that.goes.on.and.on.and.on@subdomain.of.a.subdomain.example.com';
const NAME = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
const ada = { name: 'Ada Lovelace', email: 'ada@example.com' };
const person = inAccount(ada, 'profile');
const inSecurity = inAccount(ada, 'security');
const inSessions = inAccount(ada, 'sessions');
const inApps = inAccount(ada, 'apps');
const inOrganizations = inAccount(ada, 'organizations');
const at = new Date('2026-01-15T10:30:00Z');
const passkey = { options: '{"challenge":"x"}', challenge: 'sealed' };
const PICTURE = 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=';
const totp = {
  action: '/account/security/totp',
  typed: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP',
  picture: PICTURE,
  setup: 'sealed',
};
const security = {
  totp: undefined,
  passkeys: [],
  recoveryCodesLeft: 0,
  required: false,
  done: undefined,
  totpUrl: '/account/security/totp',
  passkeyUrl: '/account/security/passkeys',
};
const app = {
  id: 'grant',
  appName: 'Northwind Reports',
  logoUrl: undefined,
  developer: 'Northwind Analytics',
  environment: 'live',
  organizationName: 'Analytical Engines',
  scopes: (['prompts:read', 'prompts:write', 'organization:admin'] as const).map((scope) => ({
    scope,
    description: SCOPES[scope].description,
    level: SCOPES[scope].level,
  })),
  identity: ['openid', 'profile', 'email'],
  allowedAt: at,
  lastUsedAt: at,
} as const;
const session = {
  id: 'a'.repeat(64),
  device: { label: 'Firefox on Windows', kind: 'computer' },
  network: '192.0.2.1',
  signedInAt: at,
  lastSeenAt: at,
  current: false,
} as const;

/** The pages of a person's own account, with the data that strains them. */
export const accountVariants: Record<string, Variant> = {
  'account-profile': {
    page: 'account/profile',
    data: { name: 'Ada Lovelace', email: 'ada@example.com', done: 'email' },
    shared: person,
  },
  'account-profile-error': {
    page: 'account/profile',
    data: { name: NAME, email: LONG, error: 'Use at most 100 characters.' },
    shared: inAccount({ name: NAME, email: LONG }, 'profile'),
  },
  'account-email': { page: 'account/email', data: { present: 'ada@example.com', typed: '' }, shared: person },
  'account-email-error': {
    page: 'account/email',
    data: { present: LONG, typed: 'nope', error: 'Enter an e-mail address, such as name@example.com.' },
    shared: person,
  },
  'account-password': {
    page: 'account/password',
    data: { email: 'ada@example.com', errors: {} },
    shared: person,
  },
  'account-password-errors': {
    page: 'account/password',
    data: {
      email: LONG,
      errors: { present: 'This is not your present password.', next: 'Use at least 12 characters.' },
    },
    shared: person,
  },
  'account-sessions': {
    page: 'account/sessions',
    data: {
      sessions: [
        { ...session, current: true },
        { ...session, device: { label: 'Safari on iOS', kind: 'phone' }, network: '2001:db8:aaaa:bbbb::/64' },
        { ...session, device: { label: `${NAME} on ${NAME}`, kind: 'unknown' }, network: '' },
      ],
      done: true,
    },
    shared: inSessions,
  },
  'account-sessions-one': {
    page: 'account/sessions',
    data: { sessions: [{ ...session, current: true }], done: false },
    shared: inSessions,
  },
  'account-security-none': {
    page: 'account/security',
    data: { ...security, required: true },
    shared: inSecurity,
  },
  'account-security': {
    page: 'account/security',
    data: {
      ...security,
      totp: { createdAt: at, lastUsedAt: at },
      passkeys: [
        { id: 'psk_1', name: 'Laptop', createdAt: at, lastUsedAt: at },
        { id: 'psk_2', name: `${NAME} \u202ekey`, createdAt: at, lastUsedAt: undefined },
      ],
      recoveryCodesLeft: 8,
      done: 'renamed',
    },
    shared: inSecurity,
  },
  'account-totp': { page: 'account/totp', data: totp, shared: inSecurity },
  'account-totp-error': {
    page: 'account/totp',
    data: {
      ...totp,
      error: 'This is not the code that the app shows now. Look at the clock of your device too.',
    },
    shared: inSecurity,
  },
  'account-passkey': {
    page: 'account/passkey',
    data: {
      action: '/account/security/passkeys',
      passkey,
      error: 'The passkey could not be added. Try again.',
    },
    shared: inSecurity,
  },
  'account-passkey-name': {
    page: 'account/passkey-name',
    data: {
      action: '/x',
      present: `${NAME} \u202ekey`,
      name: '',
      error: 'Use 1 to 100 characters on one line.',
    },
    shared: inSecurity,
  },
  'account-recovery-codes': {
    page: 'account/recovery-codes',
    data: {
      codes: Array.from({ length: 10 }, (_, i) => `abcd${i}-fghjk`),
      first: true,
      continueUrl: '/account/security',
    },
    shared: inSecurity,
  },
  'account-recovery-codes-renewed': {
    page: 'account/recovery-codes',
    data: { codes: ['abcde-fghjk'], first: false, continueUrl: '/account/security' },
    shared: inSecurity,
  },
  'account-remove-factor': {
    page: 'account/remove-factor',
    data: { action: '/account/security/totp/remove', name: `the passkey “${NAME}”` },
    shared: inSecurity,
  },
  'account-apps': {
    page: 'account/apps',
    data: {
      apps: [
        app,
        {
          ...app,
          appName: `${NAME} \u202ekey`,
          developer: NAME,
          environment: 'test',
          scopes: [],
          identity: ['openid'],
          lastUsedAt: undefined,
        },
        { ...app, scopes: [], identity: [] },
      ],
      done: true,
    },
    shared: inApps,
  },
  'account-apps-none': { page: 'account/apps', data: { apps: [], done: false }, shared: inApps },
  'account-withdraw': {
    page: 'account/withdraw',
    data: { action: '/account/apps/x/withdraw', app },
    shared: inApps,
  },
  'account-organizations': {
    page: 'account/organizations',
    data: {
      organizations: [
        { id: 'org_1', name: 'Analytical Engines', role: 'owner' },
        { id: 'org_2', name: `${NAME} ${NAME}`, role: 'viewer' },
      ],
      done: true,
    },
    shared: inOrganizations,
  },
  'account-organizations-none': {
    page: 'account/organizations',
    data: { organizations: [], done: false },
    shared: inOrganizations,
  },
  'account-leave': {
    page: 'account/leave',
    data: {
      action: '/account/organizations/org_1/leave',
      organization: NAME,
      error: 'This is the last owner: make another member an owner first.',
    },
    shared: inOrganizations,
  },
  'second-step': {
    page: 'second-step',
    data: { action: '/login', pending: 'sealed', passkey: undefined, hasTotp: true },
  },
  'second-step-passkey': {
    page: 'second-step',
    data: {
      action: '/login',
      app: { name: NAME },
      pending: 'sealed',
      passkey,
      hasTotp: false,
      error: 'This code is wrong, or was used already.',
    },
  },
  'login-again': {
    page: 'login',
    data: {
      action: '/account/confirm',
      email: 'ada@example.com',
      again: { email: 'ada@example.com' },
      passkey,
      signUpUrl: '/signup',
      forgotUrl: '/forgot-password',
    },
  },
};
