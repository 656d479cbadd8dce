import type { Environment } from '../config/environments.ts';

/** What stands around every page behind the sign-in: the ways to go, and what one works in. */
export type Frame = {
  /** What the list of ways is called, for those who hear it. */
  navLabel: string;
  /** Empty where there is no choice: the page then has the whole width. */
  nav: readonly { label: string; url: string; icon: Icon; current: boolean }[];
  /** In the person's own menu, above "Sign out". */
  personLinks: readonly { label: string; url: string }[];
  /** Where to prove who one is, for a form that came back for want of that. */
  proofUrl?: string | undefined;
  /** The organization and the environment; absent on pages that belong to the person alone. */
  switcher?: Switcher | undefined;
};

export type Switcher = {
  organization: string;
  organizations: readonly { name: string; role: string; url: string; current: boolean }[];
  environments: readonly { label: string; environment: Environment; url: string; current: boolean }[];
  /** Where a new organization is made. */
  newUrl: string;
};

/** Those of `partials/icon.eta` that stand in a list of ways. */
export type Icon =
  | 'overview'
  | 'key'
  | 'app'
  | 'webhook'
  | 'people'
  | 'chart'
  | 'log'
  | 'settings'
  | 'person'
  | 'lock'
  | 'screen';
