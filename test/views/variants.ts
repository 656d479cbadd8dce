import { ALL_SCOPES, SCOPES } from '../../config/scopes.ts';
import type { Pages, Shared } from '../../views/pages.ts';
import { accountVariants } from './account-variants.ts';
import { consoleVariants } from './console-variants.ts';
import { LONG, RTL, UNBROKEN, type Variant } from './variant.ts';

const scope = (s: keyof typeof SCOPES, more: Partial<Pages['consent']['scopes'][number]> = {}) => ({
  scope: s,
  description: SCOPES[s].description,
  level: SCOPES[s].level,
  checked: true,
  alreadyGranted: false,
  lacking: [],
  ...more,
});
const app = {
  name: 'Northwind Reports',
  developer: 'Northwind Analytics',
  environment: 'live',
  kind: 'web',
  homepageUrl: 'https://northwind.example',
  privacyUrl: 'https://northwind.example/privacy',
  logoUrl: undefined,
} as const;
const account = { name: 'Ada Lovelace', email: 'ada@example.com' };
const org = (id: string, name: string, role: 'owner' | 'admin' | 'member' | 'viewer', selected = false) => ({
  id,
  name,
  role,
  selected,
});
const consent = (over: Partial<Pages['consent']>): Pages['consent'] => ({
  action: '/oauth/interaction/x/consent',
  app,
  redirectHost: 'app.northwind.example',
  organizations: [org('org_1', 'Analytical Engines', 'owner', true)],
  scopes: [scope('prompts:read'), scope('prompts:write'), scope('reports:read')],
  identity: ['openid', 'profile', 'email'],
  account,
  switchAccountUrl: '/oauth/authorize?x',
  error: undefined,
  ...over,
});
const example = JSON.stringify(
  {
    type: 'https://promptreports.ai/docs/errors/insufficient_scope',
    title: 'Insufficient scope',
    status: 403,
    detail: 'This key has prompts:read; the request needs prompts:write.',
    code: 'insufficient_scope',
    requestId: 'req_01J8Z5W3N4K2',
    requiredScopes: ['prompts:write'],
  },
  null,
  2,
);
const login = {
  action: '/login',
  email: '',
  passkey: { options: '{"challenge":"x"}', challenge: 'sealed' },
  signUpUrl: '/signup',
  forgotUrl: '/forgot-password',
};
/** Every page with the data that strains it: long and unbroken names, right-to-left override, errors, nothing at all. */
export const variants: Record<string, Variant> = {
  ...accountVariants,
  ...consoleVariants,
  login: { page: 'login', data: login },
  'login-app-error': {
    page: 'login',
    data: {
      ...login,
      email: 'ada@example.com',
      error: 'That e-mail address and password do not go together.',
      app,
    },
  },
  'login-notice-long': {
    page: 'login',
    data: {
      ...login,
      notice: 'Your address is confirmed. Sign in to go on.',
      app: { name: UNBROKEN + ' ' + RTL },
    },
  },
  signup: {
    page: 'signup',
    data: {
      action: '/signup',
      values: { name: '', email: '', organization: '' },
      errors: {},
      loginUrl: '/login',
    },
  },
  'signup-errors': {
    page: 'signup',
    data: {
      action: '/signup',
      values: { name: RTL, email: 'nope', organization: LONG },
      errors: {
        name: 'Use at most 100 characters.',
        email: 'Enter an e-mail address, such as name@example.com.',
        password: 'Use something other than your name or address: this one is easy to guess.',
        organization: 'Use at most 100 characters.',
      },
      loginUrl: '/login',
    },
  },
  'message-info': {
    page: 'message',
    data: {
      title: 'Check your mail',
      tone: 'info',
      paragraphs: [
        'We sent a link to ada@example.com. Open it within 24 hours to confirm your address.',
        'Nothing there after a few minutes? Look among the spam.',
      ],
      actions: [
        { label: 'Sign in', url: '/login' },
        { label: 'Start page', url: '/' },
      ],
    },
  },
  'message-success': {
    page: 'message',
    data: {
      title: 'You are signed out',
      tone: 'success',
      paragraphs: ['Apps that you allowed keep their access until you withdraw it.'],
    },
  },
  'message-warning': {
    page: 'message',
    data: {
      title: 'This link does not work any more',
      tone: 'warning',
      paragraphs: ['It was used before, or it is too old. Ask for a new one.'],
      actions: [{ label: 'Ask for a new link', url: '/x' }],
    },
  },
  'confirm-email': {
    page: 'confirm-email',
    data: { action: '/confirm-email', token: 'mail_x', email: 'ada@example.com' },
  },
  'confirm-email-bare': { page: 'confirm-email', data: { action: '/confirm-email', token: 'mail_x' } },
  invitation: {
    page: 'invitation',
    data: { action: '/account/invitations', token: 'mail_x', organization: RTL, role: 'admin' },
    shared: { signedInAs: account },
  },
  'forgot-password': {
    page: 'forgot-password',
    data: { action: '/forgot-password', email: '', loginUrl: '/login' },
  },
  'forgot-password-error': {
    page: 'forgot-password',
    data: {
      action: '/forgot-password',
      email: 'nope',
      loginUrl: '/login',
      error: 'Enter an e-mail address, such as name@example.com.',
    },
  },
  'reset-password': { page: 'reset-password', data: { action: '/reset-password', token: 'mail_x' } },
  'reset-password-error': {
    page: 'reset-password',
    data: {
      action: '/reset-password',
      token: 'mail_x',
      error: 'Use more different characters: this one is easy to guess.',
    },
  },
  consent: { page: 'consent', data: consent({}) },
  'consent-all': {
    page: 'consent',
    data: consent({
      app: { ...app, environment: 'test', kind: 'native', logoUrl: undefined, name: 'Prompt Studio' },
      redirectHost: 'com.example.promptstudio://',
      organizations: [
        org('org_1', 'Analytical Engines', 'owner', true),
        org('org_2', 'Babbage & Daughters', 'member'),
        org('org_3', 'Royal Society of London for Improving Natural Knowledge', 'viewer'),
      ],
      scopes: ALL_SCOPES.map((s, i) =>
        scope(s, {
          alreadyGranted: i < 2,
          checked: i !== 3,
          lacking:
            SCOPES[s].level === 'admin'
              ? ['Babbage & Daughters', 'Royal Society of London for Improving Natural Knowledge']
              : SCOPES[s].level === 'write'
                ? ['Royal Society of London for Improving Natural Knowledge']
                : [],
        }),
      ),
      error: 'Keep at least one permission ticked, or choose Deny.',
    }),
  },
  'consent-hostile': {
    page: 'consent',
    data: consent({
      app: {
        ...app,
        name: RTL,
        developer: 'مختبر البيانات \u202e(PromptReports)',
        logoUrl: 'javascript:alert(1)',
        homepageUrl: 'http://insecure.example',
        privacyUrl: undefined,
      },
      organizations: ['One', 'Two', LONG, 'Four', 'Five'].map((n, i) =>
        org('org_' + i, n, 'viewer', i === 2),
      ),
      account: {
        name: UNBROKEN,
        email: 'a.very.long.address.that.goes.on.and.on.and.on@subdomain.of.a.subdomain.example.com',
      },
      redirectHost: 'a-very-long-host-name-that-goes-on.subdomain.of.a.subdomain.of.another.example.com:8443',
      scopes: [
        scope('organization:admin', { lacking: ['One', 'Two', LONG, 'Four', 'Five'] }),
        scope('prompts:read'),
      ],
    }),
  },
  'consent-none': { page: 'consent', data: consent({ organizations: [], scopes: [], identity: ['openid'] }) },
  'consent-viewer': {
    page: 'consent',
    data: consent({
      organizations: [org('org_1', 'Analytical Engines', 'viewer', true)],
      identity: [],
      scopes: [
        scope('prompts:read'),
        scope('prompts:write', { lacking: ['Analytical Engines'] }),
        scope('organization:admin', { lacking: ['Analytical Engines'] }),
      ],
    }),
  },
  error: {
    page: 'error',
    data: {
      status: 404,
      title: 'Not found',
      detail: 'No such resource, or this credential may not see it.',
      code: 'not_found',
      requestId: 'req_01J8Z5W3N4K2Q7',
    },
  },
  'error-back': {
    page: 'error',
    data: {
      status: 403,
      title: 'Forbidden',
      detail: 'This form has expired or was sent from elsewhere. Go back, reload the page and try again.',
      code: 'forbidden',
      requestId: 'req_01J8Z5W3N4K2Q7',
      back: { label: 'Back to sign-in', url: '/login' },
    },
    shared: { csrfToken: undefined },
  },
  home: {
    page: 'home',
    data: {
      apiUrl: 'https://api.promptreports.ai',
      signInUrl: '/login',
      signUpUrl: '/signup',
      docsUrl: '/docs',
      organizations: [],
    },
  },
  'home-signed-in': {
    page: 'home',
    data: {
      apiUrl: 'https://api.promptreports.ai',
      signInUrl: '/login',
      signUpUrl: '/signup',
      docsUrl: '/docs',
      organizations: [
        { name: 'Analytical Engines', role: 'owner', url: '/console/org_1' },
        { name: LONG, role: 'member', url: '/console/org_1' },
        { name: 'مختبر البيانات', role: 'viewer', url: '/console/org_1' },
      ],
    },
    shared: { signedInAs: account },
  },
  'home-empty': {
    page: 'home',
    data: {
      apiUrl: 'https://api.promptreports.ai',
      signInUrl: '/login',
      signUpUrl: '/signup',
      docsUrl: '/docs',
      organizations: [],
    },
    shared: { signedInAs: account },
  },
  'error-doc': {
    page: 'error-doc',
    data: {
      code: 'insufficient_scope',
      status: 403,
      title: 'Insufficient scope',
      meaning:
        'The credential is good, but it does not carry a scope that this request needs. Write scopes do not include the read scope of the same name.',
      whatToDo: [
        'Look at requiredScopes in the answer: it names what is missing.',
        'For a key, make one with that scope. For a token, ask the person again, with the scope in the request.',
      ],
      example,
      docsUrl: '/docs',
    },
  },
  'consent-unverified': {
    page: 'consent',
    data: consent({
      app: {
        ...app,
        developer: undefined,
        publishedAt: 'tools.northwind.example',
        homepageUrl: undefined,
        privacyUrl: undefined,
      },
      redirectHost: '127.0.0.1:33418',
    }),
  },
  'consent-device': { page: 'consent', data: consent({ redirectHost: '' }) },
  device: { page: 'device', data: { action: '/oauth/device', fields: { xsrf: 'x' }, code: '' } },
  'device-error': {
    page: 'device',
    data: {
      action: '/oauth/device',
      fields: { xsrf: 'x"<' },
      code: RTL,
      error: 'This code is not right. Look at your device, and enter it again.',
    },
  },
  'device-confirm': {
    page: 'device-confirm',
    data: { action: '/oauth/device', fields: { xsrf: 'x' }, code: 'BCDF-GHJK', app },
  },
  'device-confirm-long': {
    page: 'device-confirm',
    data: {
      action: '/oauth/device',
      fields: { xsrf: 'x' },
      code: 'WXZB-CDFG',
      app: { name: UNBROKEN + RTL },
    },
  },
  'logout-confirm': { page: 'logout-confirm', data: { action: '/logout', cancelUrl: '/' } },
  'logout-confirm-app': {
    page: 'logout-confirm',
    data: { action: '/oauth/logout/confirm', fields: { xsrf: 'abc"<' }, app: { name: RTL } },
  },
};
export const shared: Shared = { csrfToken: 'csrf-token', webUrl: 'https://promptreports.ai' };
