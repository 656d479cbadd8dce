import { ALL_SCOPES } from '../../config/scopes.ts';
import { EMPTY_APP, KIND_CHOICES } from '../../src/console/app-form.ts';
import { eventTypeGroups } from '../../src/console/events.ts';
import { frameOf } from '../../src/console/frame.ts';
import { EMPTY_KEY } from '../../src/console/key-form.ts';
import { presetsFor, scopeGroups } from '../../src/console/scope-choice.ts';
import { totalOf } from '../../src/console/usage-series.ts';
import { eventGroups } from '../../src/console/webhook-form.ts';
import type { AppRow } from '../../views/console/apps.ts';
import type { EventRow } from '../../views/console/audit-log.ts';
import type { KeyRow } from '../../views/console/keys.ts';
import type { MemberRow } from '../../views/console/members.ts';
import type { DeliveryRow, WebhookRow } from '../../views/console/webhooks.ts';
import type { ConsolePages } from '../../views/console-pages.ts';
import type { Shared } from '../../views/pages.ts';
import { LONG, RTL, UNBROKEN, type Variant } from './variant.ts';

const BASE = '/console/org_01hzy3v7k0a4s9d8f7g6h5j4k3/live';
const AT = '2026-01-15T10:30:00.000Z';

/** The frame around a page, as the console makes it. */
const at = (path: string, environment: 'live' | 'test' = 'live'): Partial<Shared> => ({
  signedInAs: { name: 'Ada Lovelace', email: 'ada@example.com' },
  frame: inConsole(path, environment),
});

const inConsole = (path: string, environment: 'live' | 'test' = 'live') =>
  frameOf({
    path: `${BASE.replace('/live', `/${environment}`)}${path}`,
    organizationId: 'org_01hzy3v7k0a4s9d8f7g6h5j4k3',
    environment,
    memberships: [
      {
        organizationId: 'org_01hzy3v7k0a4s9d8f7g6h5j4k3',
        organizationName: 'Analytical Engines',
        role: 'owner',
        lacksSecondFactor: false,
      },
      {
        organizationId: 'org_01hzy3v7k0a4s9d8f7g6h5j4k4',
        organizationName: LONG,
        role: 'viewer',
        lacksSecondFactor: false,
      },
    ],
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

const usageRows = Array.from({ length: 24 }, (_, i) => ({
  at: new Date(Date.parse('2026-01-15T00:00:00Z') + i * 3_600_000).toISOString(),
  requests: Math.round(400 + 300 * Math.sin(i / 3)),
  refused: i === 14 ? 60 : 0,
  clientErrors: 20 + (i === 14 ? 60 : 0),
  serverErrors: i === 15 ? 12 : 0,
}));
const noUsage = usageRows.map(({ at: time }) => ({
  at: time,
  requests: 0,
  refused: 0,
  clientErrors: 0,
  serverErrors: 0,
}));
const links = (...labels: string[]) =>
  labels.map((label, i) => ({ label, url: `${BASE}/usage?${i}`, current: i === 0 }));
const usage: ConsolePages['console/usage'] = {
  environment: 'live',
  range: '24 hours',
  ranges: links('24 hours', '7 days', '30 days', '90 days'),
  total: totalOf(usageRows),
  byDay: false,
  rows: usageRows,
  by: 'Credential',
  groupings: links('Credential', 'Scope', 'Status'),
  groups: [
    {
      group: 'key_01hzy3v7k0a4s9d8f7g6h5j4k3',
      name: 'Billing server, Frankfurt',
      ...totalOf(usageRows.slice(4)),
    },
    {
      group: 'usr_01hzy3v7k0a4s9d8f7g6h5j4k3:app_01hzy3v7k0a4s9d8f7g6h5j4k3',
      name: RTL,
      ...totalOf(usageRows.slice(18)),
    },
    { group: 'other', name: undefined, ...totalOf(usageRows.slice(22)) },
  ],
  more: true,
};

const overview = {
  rows: usageRows,
  total: totalOf(usageRows),
  alerts: [
    {
      title: 'A credential was used from a new network',
      text: `The credential "${RTL}" was used from ${UNBROKEN}.`,
      at: AT,
    },
    { title: 'The day’s quota is used up', text: '1000 of 1000 calls of today (UTC) are used.', at: AT },
  ],
  quotas: [
    { label: 'API keys', limit: 1_000, used: 312, resetAt: AT },
    { label: 'Apps for people', limit: 1_000, used: 870, resetAt: AT },
    { label: 'Services', limit: 1_000, used: 1_000, resetAt: AT },
  ],
  usageUrl: `${BASE}/usage`,
  organization: 'Analytical Engines',
  environment: 'live',
  curl,
  auditUrl: `${BASE}/audit-log`,
} as const;

const keyList: ConsolePages['console/keys'] = {
  environment: 'live',
  keys: [],
  ended: false,
  lists: [
    { label: 'In use', url: `${BASE}/keys`, current: true },
    { label: 'Ended', url: `${BASE}/keys?ended=1`, current: false },
  ],
  nextUrl: undefined,
  newUrl: undefined,
  curl,
};

const callers = [
  { network: '203.0.113.7', lastSeenAt: AT },
  { network: '2001:db8:85a3:8d3::/64', lastSeenAt: AT },
];

const keyForm: ConsolePages['console/key-form'] = {
  action: `${BASE}/keys/new`,
  cancelUrl: `${BASE}/keys`,
  environment: 'live',
  values: EMPTY_KEY,
  errors: {},
  presets: presetsFor('owner'),
  scopes: scopeGroups([], 'owner'),
  defaultAllowlist: ['203.0.113.0/24'],
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

const app = (over: Partial<AppRow> = {}): AppRow => ({
  id: 'app_01hzy3v7k0a4s9d8f7g6h5j4k3',
  url: `${BASE}/apps/app_01hzy3v7k0a4s9d8f7g6h5j4k3`,
  name: 'Northwind Reports',
  kind: 'Web app',
  logoUrl: undefined,
  createdAt: AT,
  ...over,
});

const appForm: ConsolePages['console/app-form'] = {
  action: `${BASE}/apps/new`,
  cancelUrl: `${BASE}/apps`,
  environment: 'live',
  values: EMPTY_APP,
  kinds: KIND_CHOICES,
  errors: {},
  scopes: scopeGroups([], 'owner'),
};

const member = (over: Partial<MemberRow> = {}): MemberRow => ({
  url: `${BASE}/members/usr_1`,
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  role: 'Owner',
  invited: false,
  isSelf: false,
  since: AT,
  ...over,
});
const roles = [
  { value: 'admin', label: 'Admin', hint: 'Members, keys, apps and settings' },
  { value: 'member', label: 'Member', hint: 'All data; sees keys and members' },
  { value: 'viewer', label: 'Viewer', hint: 'Sees everything, changes nothing' },
];

const settings: ConsolePages['console/settings'] = {
  action: `${BASE}/settings`,
  cancelUrl: `${BASE}/settings`,
  values: {
    name: 'Analytical Engines',
    leakedSecrets: 'revoke',
    requireSecondFactor: true,
    ipAllowlist: '203.0.113.0/24\n2001:db8::/48',
  },
  ownAddress: '203.0.113.7',
  leakChoices: [
    { value: 'revoke', label: 'End it at once', hint: 'The safe choice' },
    { value: 'roll', label: 'Give it an hour', hint: 'A new one is made' },
  ],
  errors: {},
  mayChange: true,
  saved: true,
  organization: { id: 'org_01hzy3v7k0a4s9d8f7g6h5j4k3', plan: 'pro', createdAt: AT },
  limits: [
    { label: 'API keys', perSecond: 50, perMinute: 300, perDay: 10_000 },
    { label: 'Services', perSecond: 50, perMinute: 300, perDay: 10_000 },
  ],
  leaveUrl: `${BASE}/members/usr_1/remove`,
};

const webhook = (over: Partial<WebhookRow> = {}): WebhookRow => ({
  pageUrl: `${BASE}/webhooks/wh_1`,
  url: 'https://northwind.example/hooks/promptreports',
  description: 'Tells billing',
  events: ['prompt.*', 'report.completed', 'api_key.leaked', 'limit.warning'],
  active: true,
  disabledReason: undefined,
  oldSecretUntil: undefined,
  createdAt: AT,
  ...over,
});
const delivery = (over: Partial<DeliveryRow> = {}): DeliveryRow => ({
  pageUrl: `${BASE}/webhooks/wh_1/deliveries/dlv_1`,
  id: 'dlv_01hzy3v7k0a4s9d8f7g6h5j4k3',
  event: 'report.completed',
  status: 'succeeded',
  attempts: 1,
  answer: 200,
  at: AT,
  ...over,
});
const buttons = {
  editUrl: `${BASE}/x`,
  deleteUrl: `${BASE}/x`,
  testAction: `${BASE}/x`,
  statusAction: `${BASE}/x`,
  rotateAction: `${BASE}/x`,
};

const tryIt: ConsolePages['console/try'] = {
  app: 'Northwind Reports',
  appUrl: `${BASE}/apps/app_1`,
  isService: false,
  action: `${BASE}/apps/app_1/try`,
  redirectUri: 'https://promptreports.ai/console/try/callback',
  registerAction: undefined,
  scopes: scopeGroups(['prompts:read', 'prompts:write'], 'owner').filter(({ of }) => of === 'Prompts'),
  cannot: undefined,
  error: undefined,
  notice: undefined,
};

const auditLog = {
  action: `${BASE}/audit-log`,
  cancelUrl: `${BASE}/audit-log`,
  values: { type: '', actorId: '', targetId: '', from: '', to: '' },
  errors: {},
  events: [],
  types: eventTypeGroups(''),
  filtered: false,
  actorName: undefined,
  targetName: undefined,
  nextUrl: undefined,
  exports: [
    { label: 'CSV', url: `${BASE}/audit-log/audit-log.csv` },
    { label: 'JSON', url: `${BASE}/audit-log/audit-log.json` },
  ],
};

export const consoleVariants: Record<string, Variant> = {
  'console-overview-new': {
    page: 'console/overview',
    data: {
      ...overview,
      rows: noUsage,
      total: totalOf(noUsage),
      hasKeys: false,
      newKeyUrl: `${BASE}/keys/new`,
      events: events.slice(3),
    },
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
    data: { ...keyList, environment: 'test', newUrl: `${BASE}/keys/new` },
    shared: at('/keys', 'test'),
  },
  'console-keys-viewer': {
    page: 'console/keys',
    data: keyList,
    shared: at('/keys'),
  },
  'console-keys-ended-none': { page: 'console/keys', data: { ...keyList, ended: true }, shared: at('/keys') },
  'console-keys': {
    page: 'console/keys',
    data: {
      ...keyList,
      keys: [
        { ...key(), may: 'Read only', createdBy: 'Ada Lovelace' },
        { ...key({ name: RTL, status: 'expiring', expiresAt: AT }), may: '3 scopes', createdBy: RTL },
        {
          ...key({ name: UNBROKEN, status: 'expired', expiresAt: AT, lastUsedAt: undefined }),
          may: 'evaluations:read, organization:read',
          createdBy: undefined,
        },
        {
          ...key({ name: LONG, status: 'revoked', lastUsedIp: '2001:db8:85a3:8d3:1319:8a2e:370:7348' }),
          may: 'Nothing',
          createdBy: UNBROKEN,
        },
      ],
      nextUrl: `${BASE}/keys?cursor=x`,
      newUrl: `${BASE}/keys/new`,
    },
    shared: at('/keys'),
  },
  'console-key': {
    page: 'console/key',
    data: {
      key: {
        ...key(),
        from: { addresses: ['203.0.113.0/24', '2001:db8::/48'], byOrganization: false },
        limits: [
          { label: 'a minute', value: 30 },
          { label: 'a day', value: 12_000 },
        ],
        requests: 1_204,
        createdBy: 'Ada Lovelace',
        callers,
        historyUrl: `${BASE}/audit-log?targetId=key_1`,
      },
      old: { ...key({ status: 'expiring', expiresAt: AT, mask: 'pr_live_…9aZ1' }), requests: 3, callers },
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
        from: {
          addresses: ['198.51.100.0/24', '2001:db8:85a3:8d3:1319:8a2e:370:7348'],
          byOrganization: true,
        },
        limits: [],
        requests: 0,
        createdBy: undefined,
        callers: [],
        historyUrl: `${BASE}/audit-log?targetId=key_1`,
      },
      saved: false,
    },
    shared: at('/keys/key_1'),
  },
  'console-key-new': { page: 'console/key-form', data: keyForm, shared: at('/keys/new') },
  'console-key-unproved': {
    page: 'console/key-form',
    data: { ...keyForm, notice: 'Nothing was changed yet.' },
    shared: { ...at('/keys/new'), frame: { ...inConsole('/keys/new'), proofUrl: '/account/confirm' } },
  },
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
  'console-apps-none': {
    page: 'console/apps',
    data: { environment: 'test', apps: [], nextUrl: undefined, newUrl: `${BASE}/apps/new` },
    shared: at('/apps', 'test'),
  },
  'console-apps': {
    page: 'console/apps',
    data: {
      environment: 'live',
      apps: [app(), app({ name: RTL, kind: 'Service' }), app({ name: UNBROKEN }), app({ name: LONG })],
      nextUrl: `${BASE}/apps?cursor=x`,
      newUrl: `${BASE}/apps/new`,
    },
    shared: at('/apps'),
  },
  'console-app': {
    page: 'console/app',
    data: {
      app: {
        ...app(),
        scopes: ['prompts:read', 'prompts:write'],
        redirectUris: [
          'https://northwind.example/callback',
          `https://northwind.example/${UNBROKEN.replace('ä', 'a')}/${UNBROKEN.replace('ä', 'a')}`,
        ],
        postLogoutRedirectUris: ['https://northwind.example/'],
        requirePkce: false,
        limits: [{ label: 'a day', value: 12_000 }],
        keys: 'https://northwind.example/jwks.json',
        homepageUrl: 'https://northwind.example',
        privacyUrl: 'javascript:alert(1)',
        createdBy: 'Ada Lovelace',
        historyUrl: `${BASE}/audit-log?targetId=app_1`,
      },
      endpoints: [{ label: 'Token', url: 'https://api.promptreports.ai/oauth/token' }],
      secrets: [
        { last4: '4x7Q', createdAt: AT, expiresAt: undefined, lastUsedAt: AT, deleteUrl: `${BASE}/x` },
        { last4: '9aZ1', createdAt: AT, expiresAt: AT, lastUsedAt: undefined, deleteUrl: `${BASE}/x` },
      ],
      saved: true,
      manage: {
        editUrl: `${BASE}/x`,
        deleteUrl: `${BASE}/x`,
        tryUrl: `${BASE}/x`,
        addSecretUrl: `${BASE}/x`,
      },
    },
    shared: at('/apps/app_1'),
  },
  'console-app-viewer': {
    page: 'console/app',
    data: {
      app: {
        ...app({ name: LONG, kind: 'Service' }),
        scopes: [],
        redirectUris: [],
        postLogoutRedirectUris: [],
        requirePkce: true,
        limits: [],
        keys: undefined,
        homepageUrl: undefined,
        privacyUrl: undefined,
        createdBy: undefined,
        historyUrl: `${BASE}/audit-log?targetId=app_1`,
      },
      endpoints: [],
      secrets: [],
      saved: false,
    },
    shared: at('/apps/app_1'),
  },
  'console-app-new': { page: 'console/app-form', data: appForm, shared: at('/apps/new') },
  'console-app-form-errors': {
    page: 'console/app-form',
    data: {
      ...appForm,
      values: { ...EMPTY_APP, name: UNBROKEN, redirectUris: 'http://a\nhttp://b', logoUrl: 'http://c' },
      errors: {
        kind: 'Choose one.',
        name: 'Must be one line, and not blank.',
        redirectUris: 'Line 1 must be https, or http on localhost, 127.0.0.1 or [::1].',
        postLogoutRedirectUris: 'Line 1 must be an absolute URI.',
        scopes: 'Must name each scope once.',
        requirePkce: 'May be false for apps of the kind web alone.',
        logoUrl: 'Must be an https URL.',
        jwksUri: 'Must be an https URL.',
        'limits.perDay': 'Must be a whole number.',
      },
      notice: 'An organization may have 100 apps: delete one first.',
    },
    shared: at('/apps/new'),
  },
  'console-app-edit-service': {
    page: 'console/app-form',
    data: { ...appForm, editing: RTL, values: { ...EMPTY_APP, kind: 'service', name: RTL } },
    shared: at('/apps/app_1/edit'),
  },
  'console-app-secret-form': {
    page: 'console/app-secret-form',
    data: {
      action: `${BASE}/x`,
      cancelUrl: `${BASE}/x`,
      app: RTL,
      values: { expiresOn: '2001-01-01' },
      errors: { expiresAt: 'Must be in the future.' },
      notice: 'An app may have 5 secrets: delete one first.',
    },
    shared: at('/apps/app_1/secrets/new'),
  },
  'console-members': {
    page: 'console/members',
    data: {
      members: [
        member({ isSelf: true }),
        member({ name: undefined, email: 'grace@example.com', role: 'Viewer', invited: true }),
        member({ name: RTL, email: `${UNBROKEN.replace('ä', 'a')}@example.com`, role: 'Member' }),
      ],
      nextUrl: `${BASE}/members?cursor=x`,
      inviteUrl: `${BASE}/members/invite`,
      done: 'The invitation is on its way. It can be accepted within 7 days.',
    },
    shared: at('/members'),
  },
  'console-member': {
    page: 'console/member',
    data: {
      member: member({ name: RTL, role: 'Member' }),
      action: `${BASE}/members/usr_1`,
      cancelUrl: `${BASE}/members`,
      values: { role: 'member' },
      errors: { role: 'Choose one.' },
      notice: 'This is the last owner: make another member an owner first.',
      roles,
      removeUrl: `${BASE}/members/usr_1/remove`,
    },
    shared: at('/members/usr_1'),
  },
  'console-member-viewer': {
    page: 'console/member',
    data: {
      member: member({ invited: true, name: undefined }),
      action: `${BASE}/members/usr_1`,
      cancelUrl: `${BASE}/members`,
      values: { role: 'owner' },
      errors: {},
      roles: [],
      removeUrl: undefined,
    },
    shared: at('/members/usr_1'),
  },
  'console-invite': {
    page: 'console/invite',
    data: {
      action: `${BASE}/members/invite`,
      cancelUrl: `${BASE}/members`,
      values: { email: 'nope', role: 'member' },
      errors: { email: 'Must be an e-mail address, such as name@example.com.' },
      notice: 'Too many invitations. Try again later.',
      roles,
    },
    shared: at('/members/invite'),
  },
  'console-usage': { page: 'console/usage', data: usage, shared: at('/usage') },
  'console-usage-nothing': {
    page: 'console/usage',
    data: { ...usage, rows: noUsage, total: totalOf(noUsage), groups: [], more: false, byDay: true },
    shared: at('/usage'),
  },
  'console-webhooks-none': {
    page: 'console/webhooks',
    data: { environment: 'test', webhooks: [], nextUrl: undefined, newUrl: `${BASE}/webhooks/new` },
    shared: at('/webhooks', 'test'),
  },
  'console-webhooks': {
    page: 'console/webhooks',
    data: {
      environment: 'live',
      webhooks: [
        webhook(),
        webhook({ url: `https://${UNBROKEN}.example/`, description: RTL, active: false }),
      ],
      nextUrl: `${BASE}/webhooks?cursor=x`,
      newUrl: `${BASE}/webhooks/new`,
    },
    shared: at('/webhooks'),
  },
  'console-webhook': {
    page: 'console/webhook',
    data: {
      webhook: webhook({ active: false, disabledReason: 'failing', oldSecretUntil: AT }),
      deliveries: [
        delivery(),
        delivery({ status: 'failed', answer: 'The connection was refused.', attempts: 12 }),
        delivery({ status: 'pending', answer: undefined, attempts: 0 }),
      ],
      nextUrl: `${BASE}/webhooks/wh_1?cursor=x`,
      notice: 'This webhook is disabled.',
      manage: buttons,
    },
    shared: at('/webhooks/wh_1'),
  },
  'console-webhook-viewer': {
    page: 'console/webhook',
    data: {
      webhook: webhook({ url: `https://${UNBROKEN}.example/`, description: undefined }),
      deliveries: [],
      nextUrl: undefined,
      notice: undefined,
    },
    shared: at('/webhooks/wh_1'),
  },
  'console-webhook-form': {
    page: 'console/webhook-form',
    data: {
      action: `${BASE}/webhooks/new`,
      cancelUrl: `${BASE}/webhooks`,
      environment: 'live',
      editing: false,
      values: { url: 'http://10.0.0.1', description: UNBROKEN },
      events: eventGroups(['prompt.*', 'report.failed']),
      errors: { url: 'Must be https.', events: 'Must name each event once.', description: 'Too long.' },
      notice: 'An organization may have 20 webhooks: delete one first.',
    },
    shared: at('/webhooks/new'),
  },
  'console-delivery': {
    page: 'console/delivery',
    data: {
      delivery: delivery({ status: 'failed' }),
      webhookUrl: `${BASE}/webhooks/wh_1`,
      request: {
        headers: 'webhook-id: evt_01hzy3v7k0a4s9d8f7g6h5j4k3\nwebhook-timestamp: 1768473000',
        body: '{\n  "type": "report.completed"\n}',
      },
      attempts: [
        { at: AT, url: 'https://northwind.example', answer: '500', body: UNBROKEN, durationMs: 1200 },
      ],
      nextAttemptAt: AT,
      redeliverAction: `${BASE}/x`,
    },
    shared: at('/webhooks/wh_1/deliveries/dlv_1'),
  },
  'console-try': { page: 'console/try', data: tryIt, shared: at('/apps/app_1/try') },
  'console-try-register': {
    page: 'console/try',
    data: { ...tryIt, app: RTL, registerAction: `${BASE}/x`, cannot: 'It can not be redeemed here.' },
    shared: at('/apps/app_1/try'),
  },
  'console-try-service': {
    page: 'console/try',
    data: { ...tryIt, isService: true, error: 'Tick at least one.', notice: 'An app may have 5 secrets.' },
    shared: at('/apps/app_1/try'),
  },
  'console-try-code': {
    page: 'console/try-code',
    data: {
      app: 'Northwind Reports',
      appUrl: `${BASE}/apps/app_1`,
      againUrl: `${BASE}/apps/app_1/try`,
      sent: [
        { name: 'response_type', value: 'code' },
        { name: 'redirect_uri', value: tryIt.redirectUri },
      ],
      came: [
        { name: 'code', value: UNBROKEN },
        { name: 'iss', value: 'https://api.promptreports.ai' },
      ],
      checks: [
        { label: 'state is the one that was sent from this browser', good: true },
        { label: 'iss is the server that was asked', good: false },
      ],
      exchange: { action: `${BASE}/x`, code: 'x' },
    },
    shared: at('/apps/app_1/try/result'),
  },
  'console-try-denied': {
    page: 'console/try-code',
    data: {
      app: RTL,
      appUrl: `${BASE}/apps/app_1`,
      againUrl: `${BASE}/apps/app_1/try`,
      sent: [],
      came: [{ name: 'error', value: 'access_denied' }],
      checks: [],
      exchange: undefined,
    },
    shared: at('/apps/app_1/try/result'),
  },
  'console-try-token': {
    page: 'console/try-token',
    data: {
      app: 'Northwind Reports',
      appUrl: `${BASE}/apps/app_1`,
      againUrl: `${BASE}/apps/app_1/try`,
      isService: false,
      request:
        'curl -X POST https://api.promptreports.ai/oauth/token \\\n  -d grant_type="authorization_code"',
      status: 200,
      answer: '{\n  "token_type": "Bearer"\n}',
      token: {
        value: `eyJhbGciOiJSUzI1NiJ9.${UNBROKEN.repeat(4)}`,
        header: '{\n  "alg": "RS256"\n}',
        claims: '{\n  "sub": "usr_1"\n}',
      },
      curl: 'curl https://api.promptreports.ai/v1/me',
    },
    shared: at('/apps/app_1/try/exchange'),
  },
  'console-settings': { page: 'console/settings', data: settings, shared: at('/settings') },
  'console-settings-viewer': {
    page: 'console/settings',
    data: {
      ...settings,
      mayChange: false,
      saved: false,
      values: {
        name: UNBROKEN,
        leakedSecrets: 'roll',
        requireSecondFactor: false,
        ipAllowlist: '198.51.100.0/24\n2001:db8:85a3:8d3:1319:8a2e:370:7348',
      },
    },
    shared: at('/settings'),
  },
  'console-settings-errors': {
    page: 'console/settings',
    data: {
      ...settings,
      saved: false,
      values: {
        name: '',
        leakedSecrets: 'revoke',
        requireSecondFactor: true,
        ipAllowlist: '203.0.113.7\nnowhere',
      },
      errors: {
        name: 'Must have 1 to 100 characters.',
        requireSecondFactor: 'Set up a second factor for yourself first.',
        ipAllowlist: 'Line 2 must be an IPv4 or IPv6 address or CIDR range.',
        leakedSecrets: 'Choose one.',
      },
    },
    shared: at('/settings'),
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
      values: { type: 'nonsense', actorId: 'usr_1', targetId: 'key_1', from: '2026-01-01', to: '' },
      types: eventTypeGroups('nonsense'),
      errors: { type: 'Must be a type of event, such as app.created.' },
      actorName: RTL,
      targetName: UNBROKEN,
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
