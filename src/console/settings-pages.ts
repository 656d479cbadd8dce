import type { Choice } from '../../views/console/forms.ts';
import type { SettingsValues } from '../../views/console/organization.ts';
import { seeOther } from '../http/page.ts';
import type { LeakedSecrets } from '../organizations/organization.ts';
import { attempt, type Faults, linesOf } from './faults.ts';
import { limitRows } from './quota.ts';
import { type ConsolePage, queryOf, type Visit } from './visit.ts';

const LEAK_CHOICES: (Choice & { value: LeakedSecrets })[] = [
  { value: 'revoke', label: 'End it at once', hint: 'The safe choice: what still uses it stops working' },
  { value: 'roll', label: 'Give it an hour', hint: 'A new one is made, and the old one ends in an hour' },
];

/** The organization itself: its name, its plan and what that allows. */
export function settingsPages(): ConsolePage[] {
  const show = async (visit: Visit, typed?: SettingsValues, faults?: Faults) => {
    const organization = await visit.call('GET /v1/organization');
    const limits = await visit.call('GET /v1/limits');
    visit.render(
      'console/settings',
      {
        action: visit.url('/settings'),
        cancelUrl: visit.url('/settings'),
        values: typed ?? {
          name: organization.name,
          leakedSecrets: organization.leakedSecrets,
          requireSecondFactor: organization.requireSecondFactor,
          ipAllowlist: organization.ipAllowlist.join('\n'),
        },
        leakChoices: LEAK_CHOICES,
        ownAddress: visit.ctx.ip,
        errors: faults?.fields ?? {},
        notice: faults?.notice,
        mayChange: visit.may('organization:admin'),
        saved: queryOf(visit, 'saved') !== '',
        organization: { id: organization.id, plan: organization.plan, createdAt: organization.createdAt },
        limits: limitRows(limits),
        leaveUrl: visit.url(`/members/${visit.person.id}/remove`),
      },
      faults ? { status: faults.status } : {},
    );
  };

  return [
    {
      method: 'GET',
      path: '/settings',
      scope: 'organization:read',
      handle: (visit) => show(visit),
    },
    {
      method: 'POST',
      path: '/settings',
      scope: 'organization:admin',
      recent: 'keep',
      handle: async (visit, form) => {
        const values = {
          name: form.get('name'),
          leakedSecrets: form.get('leakedSecrets'),
          requireSecondFactor: form.get('requireSecondFactor') !== '',
          ipAllowlist: form.get('ipAllowlist'),
        };
        const before: Record<string, unknown> = await visit.call('GET /v1/organization');
        const body = Object.fromEntries(
          Object.entries({ ...values, ipAllowlist: linesOf(values.ipAllowlist) }).filter(
            ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
          ),
        );
        const { faults } = await attempt(Object.keys(values), () =>
          visit.call('PATCH /v1/organization', { body }),
        );
        if (faults) return show(visit, values, faults);
        seeOther(visit.ctx, visit.url('/settings?saved=1'));
      },
    },
  ];
}
