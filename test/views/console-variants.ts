import { ALL_SCOPES } from '../../config/scopes.ts';
import { frameOf } from '../../src/console/frame.ts';
import { EMPTY_KEY } from '../../src/console/key-form.ts';
import { presetsFor, scopeGroups } from '../../src/console/scope-choice.ts';
import type { ConsolePages, EventRow, KeyRow } from '../../views/console-pages.ts';
import type { Shared } from '../../views/pages.ts';
import { LONG, RTL, UNBROKEN, type Variant } from './variant.ts';

const BASE = '/console/org_01hzy3v7k0a4s9d8f7g6h5j4k3/live';
const AT = '2026-01-15T10:30:00.000Z';

/** The frame around a page, as the console makes it. */
const at = (path: string, environment: 'live' | 'test' = 'live'): Partial<Shared> => ({
  signedInAs: { name: 'Ada Lovelace', email: 'ada@example.com' },
  frame: frameOf({
    path: `${BASE.replace('/live', `/${environment}`)}${path}`,
    organizationId: 'org_01hzy3v7k0a4s9d8f7g6h5j4k3',
    environment,
    memberships: [
      {
        organizationId: 'org_01hzy3v7k0a4s9d8f7g6h5j4k3',
        organizationName: 'Analytical Engines',
        role: 'owner',
      },
      { organizationId: 'org_01hzy3v7k0a4s9d8f7g6h5j4k4', organizationName: LONG, role: 'viewer' },
    ],
  }),
});

const key = (over: Partial<KeyRow> = {}): KeyRow => ({
  id: 'key_01hzy3v7k0a4s9d8f7g6h5j4k3',
  url: `${BASE}/keys/key_01hzy3v7k0a4s9d8f7g6h5j4k3`,
  name: 'Billing server, Frankfurt',
  mask: 'pr_live_…4x7Q',
  status: 'active',
  scopes: ['prompts:read', 'reports:read'],
  createdAt: AT,
  expiresAt: undefined,
  lastUsedAt: AT,
  lastUsedIp: '203.0.113.7',
  ...over,
});

const event = (over: Partial<EventRow> = {}): EventRow => ({
  id: 'aud_01hzy3v7k0a4s9d8f7g6h5j4k3',
  type: 'api_key.created',
  what: 'API key created',
  actor: 'Ada Lovelace',
  actorId: 'usr_01hzy3v7k0a4s9d8f7g6h5j4k3',
  target: 'Billing server, Frankfurt',
  ip: '203.0.113.7',
  at: AT,
  ...over,
});
const events = [
  event(),
  event({ what: 'Member invited', target: 'grace@example.com' }),
  event({ what: 'Token replayed', actor: RTL, target: UNBROKEN, ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348' }),
  event({ what: 'Organization created', target: undefined, ip: undefined }),
];

const curl =
  'curl https://api.promptreports.ai/v1/me \\\n  -H "Authorization: Bearer $PROMPTREPORTS_API_KEY"';

const overview = {
  organization: 'Analytical Engines',
  environment: 'live',
  curl,
  auditUrl: `${BASE}/audit-log`,
} as const;

const keyForm: ConsolePages['console/key-form'] = {
  action: `${BASE}/keys/new`,
  cancelUrl: `${BASE}/keys`,
  environment: 'live',
  values: EMPTY_KEY,
  errors: {},
  presets: presetsFor('owner'),
  scopes: scopeGroups([], 'owner'),
  tomorrow: '2026-01-16',
};

const rotate = {
  action: `${BASE}/keys/key_1/rotate`,
  cancelUrl: `${BASE}/keys/key_1`,
  values: { grace: '86400' },
  errors: {},
  graces: [
    { value: '0', label: 'At once' },
    { value: '86400', label: 'After a day' },
  ],
};

const auditLog = {
  action: `${BASE}/audit-log`,
  cancelUrl: `${BASE}/audit-log`,
  values: { type: '', actorId: '', from: '', to: '' },
  errors: {},
  events: [],
  filtered: false,
  actorName: undefined,
  nextUrl: undefined,
  exports: [
    { label: 'CSV', url: `${BASE}/audit-log/audit-log.csv` },
    { label: 'JSON', url: `${BASE}/audit-log/audit-log.json` },
  ],
};

export const consoleVariants: Record<string, Variant> = {
  'console-overview-new': {
    page: 'console/overview',
    data: { ...overview, hasKeys: false, newKeyUrl: `${BASE}/keys/new`, events: events.slice(3) },
    shared: at(''),
  },
  'console-overview-viewer': {
    page: 'console/overview',
    data: { ...overview, environment: 'test', organization: LONG, hasKeys: false, events },
    shared: at('', 'test'),
  },
  'console-overview': {
    page: 'console/overview',
    data: { ...overview, hasKeys: true, newKeyUrl: `${BASE}/keys/new`, events },
    shared: at(''),
  },
  'console-keys-none': {
    page: 'console/keys',
    data: { environment: 'test', keys: [], nextUrl: undefined, newUrl: `${BASE}/keys/new`, curl },
    shared: at('/keys', 'test'),
  },
  'console-keys-viewer': {
    page: 'console/keys',
    data: { environment: 'live', keys: [], nextUrl: undefined, newUrl: undefined, curl },
    shared: at('/keys'),
  },
  'console-keys': {
    page: 'console/keys',
    data: {
      environment: 'live',
      keys: [
        key(),
        key({ name: RTL, status: 'expiring', expiresAt: AT }),
        key({ name: UNBROKEN, status: 'expired', expiresAt: AT, lastUsedAt: undefined }),
        key({ name: LONG, status: 'revoked' }),
      ],
      nextUrl: `${BASE}/keys?cursor=x`,
      newUrl: `${BASE}/keys/new`,
      curl,
    },
    shared: at('/keys'),
  },
  'console-key': {
    page: 'console/key',
    data: {
      key: {
        ...key(),
        ipAllowlist: ['203.0.113.0/24', '2001:db8::/48'],
        limits: [
          { label: 'a minute', value: 30 },
          { label: 'a day', value: 12_000 },
        ],
        createdBy: 'Ada Lovelace',
      },
      old: key({ status: 'expiring', expiresAt: AT, mask: 'pr_live_…9aZ1' }),
      saved: true,
      manage: { editUrl: `${BASE}/keys/key_1/edit`, revokeUrl: `${BASE}/keys/key_1/revoke`, rotate },
    },
    shared: at('/keys/key_1'),
  },
  'console-key-viewer': {
    page: 'console/key',
    data: {
      key: {
        ...key({ name: UNBROKEN, status: 'revoked', lastUsedAt: undefined, scopes: [] }),
        ipAllowlist: [],
        limits: [],
        createdBy: undefined,
      },
      saved: false,
    },
    shared: at('/keys/key_1'),
  },
  'console-key-new': { page: 'console/key-form', data: keyForm, shared: at('/keys/new') },
  'console-key-form-errors': {
    page: 'console/key-form',
    data: {
      ...keyForm,
      environment: 'test',
      editing: RTL,
      values: {
        ...EMPTY_KEY,
        name: UNBROKEN,
        preset: 'custom',
        ipAllowlist: 'here\nthere',
        perMinute: 'many',
      },
      scopes: scopeGroups(ALL_SCOPES.slice(0, 3), 'viewer'),
      errors: {
        name: 'Must have 1 to 100 characters.',
        scopes: 'Must name each scope once.',
        expiresAt: 'Must be in the future.',
        ipAllowlist: 'Line 1 must be an IPv4 or IPv6 address or CIDR range.',
        'limits.perMinute': 'Must be a whole number.',
      },
      notice: 'An organization may have 100 API keys: revoke one first.',
    },
    shared: at('/keys/new', 'test'),
  },
  'console-confirm': {
    page: 'console/confirm',
    data: {
      title: `Revoke “${RTL}”?`,
      paragraphs: [
        'It stops working within a second, wherever it is used. This can not be undone.',
        'It was never used.',
      ],
      action: `${BASE}/keys/key_1/revoke`,
      submit: 'Revoke the key',
      cancelUrl: `${BASE}/keys/key_1`,
      notice: 'It could not be done.',
    },
    shared: at('/keys/key_1/revoke'),
  },
  'console-secret': {
    page: 'console/secret',
    data: {
      title: 'Your new API key',
      lead: '“Billing server” works from now on. Copy it now: it is shown this once.',
      label: 'API key',
      value: 'pr_live_000000000000000000000000000000000000',
      variable: 'PROMPTREPORTS_API_KEY',
      notes: ['Keep it in a secrets manager.', 'Never put it into a page.'],
      curl,
      facts: [{ label: 'Client id', value: 'app_01hzy3v7k0a4s9d8f7g6h5j4k3' }],
      doneUrl: `${BASE}/keys`,
    },
    shared: at('/keys/new'),
  },
  'console-audit-log': {
    page: 'console/audit-log',
    data: { ...auditLog, events, nextUrl: `${BASE}/audit-log?cursor=x` },
    shared: at('/audit-log'),
  },
  'console-audit-log-nothing': {
    page: 'console/audit-log',
    data: {
      ...auditLog,
      values: { type: 'nonsense', actorId: 'usr_1', from: '2026-01-01', to: '' },
      errors: { type: 'Must be a type of event, such as app.created.' },
      actorName: RTL,
      filtered: true,
    },
    shared: at('/audit-log'),
  },
  'console-organization-first': {
    page: 'console/organization-form',
    data: {
      action: '/console/organizations/new',
      cancelUrl: '/',
      values: { name: '' },
      errors: {},
      first: true,
    },
    shared: { ...at(''), frame: { navLabel: 'Console', nav: [], personLinks: [] } },
  },
  'console-organization-error': {
    page: 'console/organization-form',
    data: {
      action: '/console/organizations/new',
      cancelUrl: '/',
      values: { name: UNBROKEN },
      errors: { name: 'Use 1 to 100 characters on one line.' },
      first: false,
    },
    shared: { ...at(''), frame: { navLabel: 'Console', nav: [], personLinks: [] } },
  },
};
