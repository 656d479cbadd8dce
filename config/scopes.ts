/** The scopes of the PromptReports API: the one table that consent, tokens, keys, routes and documents read. */
export type ScopeLevel = 'read' | 'write' | 'admin';

export const SCOPES = {
  'prompts:read': { level: 'read', description: 'See your prompts and all their versions' },
  'prompts:write': { level: 'write', description: 'Create, change and delete your prompts' },
  'reports:read': { level: 'read', description: 'See the reports you have generated' },
  'reports:write': { level: 'write', description: 'Generate reports and manage them' },
  'evaluations:read': { level: 'read', description: 'See the results of your evaluations' },
  'evaluations:write': { level: 'write', description: 'Run evaluations and manage your datasets' },
  'webhooks:read': { level: 'read', description: 'See how your webhooks are set up' },
  'webhooks:write': { level: 'write', description: 'Set up webhooks and manage them' },
  'organization:read': { level: 'read', description: "See your organization's settings" },
  'organization:admin': {
    level: 'admin',
    description: 'Manage your organization: its settings, members, API keys and apps',
  },
} as const satisfies Record<string, { level: ScopeLevel; description: string }>;

export type Scope = keyof typeof SCOPES;

export const ALL_SCOPES = Object.keys(SCOPES) as Scope[];

export const isScope = (value: string): value is Scope => Object.hasOwn(SCOPES, value);

/** In the table's order, each once: how scopes are stored, shown and compared. */
export const sortScopes = (scopes: Iterable<Scope>): Scope[] => {
  const wanted = new Set(scopes);
  return ALL_SCOPES.filter((scope) => wanted.has(scope));
};

/** Scopes that ask who the person is (OpenID Connect Core §5.4), beside those of the API. */
export const IDENTITY_SCOPES = ['openid', 'profile', 'email'] as const;

export type IdentityScope = (typeof IDENTITY_SCOPES)[number];

export const isIdentityScope = (value: string): value is IdentityScope =>
  (IDENTITY_SCOPES as readonly string[]).includes(value);
