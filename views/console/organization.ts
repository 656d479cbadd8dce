import type { Choice, FormOf } from './forms.ts';

/** The organization itself. */
export type OrganizationPages = {
  'console/organization-form': OrganizationFormPage;
  'console/settings': SettingsPage;
};

type OrganizationFormPage = FormOf<{ name: string }> & { first: boolean };

export type SettingsValues = {
  name: string;
  leakedSecrets: string;
  requireSecondFactor: boolean;
  ipAllowlist: string;
};

type SettingsPage = FormOf<SettingsValues> & {
  leakChoices: readonly Choice[];
  /** From which address the reader came, to be copied. */
  ownAddress: string;
  mayChange: boolean;
  saved: boolean;
  organization: { id: string; plan: string; createdAt: string };
  limits: readonly { label: string; perSecond: number; perMinute: number; perDay: number }[];
  leaveUrl: string;
};
