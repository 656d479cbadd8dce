import { describe, expect, test } from '@jest/globals';
import { PLANS } from '../../config/plans.ts';
import { capScopes, grantableScopes, ROLES } from '../../config/roles.ts';
import { ALL_SCOPES, isScope, SCOPES, sortScopes } from '../../config/scopes.ts';

/** The customer's tables, written out a second time: a changed figure must be meant. */
describe('the plans', () => {
  test.each([
    ['free', 60, 1_000, 10],
    ['pro', 300, 10_000, 50],
    ['business', 600, 50_000, 100],
    ['enterprise', 1_000, 100_000, 200],
  ] as const)(
    '%s allows %i requests a minute, %i a day, %i a second',
    (plan, perMinute, perDay, perSecond) => {
      expect(PLANS[plan]).toEqual({ perMinute, perDay, perSecond });
    },
  );
});

describe('the scopes', () => {
  test("are the contract's ten", () => {
    expect(ALL_SCOPES).toEqual([
      'prompts:read',
      'prompts:write',
      'reports:read',
      'reports:write',
      'evaluations:read',
      'evaluations:write',
      'webhooks:read',
      'webhooks:write',
      'organization:read',
      'organization:admin',
    ]);
  });

  test('have the level that their name says', () => {
    for (const scope of ALL_SCOPES) expect(scope.endsWith(`:${SCOPES[scope].level}`)).toBe(true);
  });

  test.each(['toString', '__proto__', 'prompts', 'prompts:admin', 'PROMPTS:READ', ''])(
    'do not include %j',
    (name) => {
      expect(isScope(name)).toBe(false);
    },
  );

  test("are sorted in the table's order, each once", () => {
    expect(sortScopes(['reports:read', 'prompts:write', 'reports:read'])).toEqual([
      'prompts:write',
      'reports:read',
    ]);
  });
});

describe('a role may grant', () => {
  test('every scope as owner or admin', () => {
    expect(grantableScopes('owner')).toEqual(ALL_SCOPES);
    expect(grantableScopes('admin')).toEqual(ALL_SCOPES);
  });

  test('all but administration as member', () => {
    expect(grantableScopes('member')).toEqual(ALL_SCOPES.filter((scope) => scope !== 'organization:admin'));
  });

  test('reading alone as viewer', () => {
    expect(grantableScopes('viewer')).toEqual(ALL_SCOPES.filter((scope) => scope.endsWith(':read')));
  });

  test('never more than it may, whatever was granted before', () => {
    for (const role of ROLES) expect(capScopes(ALL_SCOPES, role)).toEqual(grantableScopes(role));
    expect(capScopes(['organization:admin', 'prompts:read'], 'viewer')).toEqual(['prompts:read']);
  });
});
