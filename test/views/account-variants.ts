import type { Variant } from './variant.ts';

const LONG = 'a.very.long.address.that.goes.on.and.on.and.on@subdomain.of.a.subdomain.example.com';
const NAME = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
const person = { signedInAs: { name: 'Ada Lovelace', email: 'ada@example.com' } };
const at = new Date('2026-01-15T10:30:00Z');
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
    shared: { signedInAs: { name: NAME, email: LONG } },
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
    shared: person,
  },
  'account-sessions-one': {
    page: 'account/sessions',
    data: { sessions: [{ ...session, current: true }], done: false },
    shared: person,
  },
  'login-again': {
    page: 'login',
    data: {
      action: '/account/confirm',
      email: 'ada@example.com',
      again: { email: 'ada@example.com' },
      signUpUrl: '/signup',
      forgotUrl: '/forgot-password',
    },
  },
};
