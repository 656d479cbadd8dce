import { seeOther } from '../http/page.ts';
import { attempt, type Faults } from './faults.ts';
import { limitRows } from './quota.ts';
import { type ConsolePage, queryOf, type Visit } from './visit.ts';

/** The organization itself: its name, its plan and what that allows. */
export function settingsPages(): ConsolePage[] {
  const show = async (visit: Visit, name?: string, faults?: Faults) => {
    const organization = await visit.call('GET /v1/organization');
    const limits = await visit.call('GET /v1/limits');
    visit.render(
      'console/settings',
      {
        action: visit.url('/settings'),
        cancelUrl: visit.url('/settings'),
        values: { name: name ?? organization.name },
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
      handle: async (visit, form) => {
        const name = form.get('name');
        const { faults } = await attempt(['name'], () =>
          visit.call('PATCH /v1/organization', { body: { name } }),
        );
        if (faults) return show(visit, name, faults);
        seeOther(visit.ctx, visit.url('/settings?saved=1'));
      },
    },
  ];
}
