import type { Frame } from '../../views/frame.ts';

const WAYS = [
  ['profile', 'Profile', '/account', 'person'],
  ['security', 'Sign-in methods', '/account/security', 'lock'],
  ['sessions', 'Sessions', '/account/sessions', 'screen'],
  ['apps', 'Connected apps', '/account/apps', 'app'],
  ['organizations', 'Organizations', '/account/organizations', 'people'],
] as const;

type Way = (typeof WAYS)[number][0];

/** What stands around a page of a person's own account. */
export function inAccount<Person extends { name: string; email: string }>(
  signedInAs: Person,
  here: Way,
): { signedInAs: Person; frame: Frame } {
  const nav = WAYS.map(([way, label, url, icon]) => ({ label, url, icon, current: way === here }));
  return {
    signedInAs,
    frame: { navLabel: 'Account', nav, personLinks: [{ label: 'Console', url: '/console' }] },
  };
}
