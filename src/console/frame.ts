import { ENVIRONMENTS, type Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import type { Frame } from '../../views/frame.ts';

export type Membership = {
  organizationId: string;
  organizationName: string;
  role: Role;
  /** The organization requires a second factor, and this member has none. */
  lacksSecondFactor: boolean;
};

export const placeIn = (organizationId: string, environment: Environment): string =>
  `${organizationId}/${environment}`;

const WAYS = [
  ['', 'Overview', 'overview'],
  ['/keys', 'API keys', 'key'],
  ['/apps', 'Apps', 'app'],
  ['/webhooks', 'Webhooks', 'webhook'],
  ['/members', 'Members', 'people'],
  ['/usage', 'Usage', 'chart'],
  ['/audit-log', 'Audit log', 'log'],
  ['/settings', 'Settings', 'settings'],
] as const;

export const ROLE_NAMES: Record<Role, string> = {
  owner: 'Owner',
  admin: 'Admin',
  member: 'Member',
  viewer: 'Viewer',
};

const ENVIRONMENT_NAMES: Record<Environment, string> = { live: 'Live', test: 'Test' };

export const PERSON_LINKS = [{ label: 'Your account', url: '/account' }];

/** The console around a page. Another environment shows the same section; another organization its overview. */
export function frameOf(here: {
  path: string;
  memberships: readonly Membership[];
  organizationId: string;
  environment: Environment;
}): Frame {
  const { memberships, organizationId, environment } = here;
  const base = `/console/${placeIn(organizationId, environment)}`;
  const section = `/${here.path.slice(base.length).split('/')[1] ?? ''}`.replace(/\/$/, '');
  return {
    navLabel: 'Console',
    nav: WAYS.map(([path, label, icon]) => ({ label, icon, url: base + path, current: path === section })),
    personLinks: PERSON_LINKS,
    switcher: {
      organization: memberships.find((one) => one.organizationId === organizationId)?.organizationName ?? '',
      organizations: memberships.map((one) => ({
        name: one.organizationName,
        role: ROLE_NAMES[one.role],
        url: `/console/${placeIn(one.organizationId, environment)}`,
        current: one.organizationId === organizationId,
      })),
      environments: ENVIRONMENTS.map((one) => ({
        label: ENVIRONMENT_NAMES[one],
        environment: one,
        url: `/console/${placeIn(organizationId, one)}${section}`,
        current: one === environment,
      })),
      newUrl: '/console/organizations/new',
    },
  };
}
