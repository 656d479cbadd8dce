import { expect, test } from '@jest/globals';
import { ROLES } from '../../config/roles.ts';
import { grantableRoles, mayChangeRole, mayInvite, mayRemove } from '../../src/organizations/role-rules.ts';

test.each([
  ['owner', ['owner', 'admin', 'member', 'viewer']],
  ['admin', ['admin', 'member', 'viewer']],
  ['member', []],
  ['viewer', []],
] as const)('%s may give %j', (actor, roles) => {
  expect(grantableRoles(actor)).toEqual(roles);
  for (const role of ROLES) {
    const may = (roles as readonly string[]).includes(role);
    expect([role, mayInvite(actor, role), mayRemove(actor, role, false)]).toEqual([role, may, may]);
  }
});

test('only an owner may make an owner, or change one', () => {
  for (const actor of ROLES) {
    expect([actor, mayChangeRole(actor, 'owner', 'viewer')]).toEqual([actor, actor === 'owner']);
    expect([actor, mayChangeRole(actor, 'viewer', 'owner')]).toEqual([actor, actor === 'owner']);
  }
});

test('anybody may leave', () => {
  for (const role of ROLES) expect(mayRemove(role, role, true)).toBe(true);
});
