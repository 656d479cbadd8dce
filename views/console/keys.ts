import type { Environment } from '../../config/environments.ts';
import type { Choice, FormOf, Link, ScopeGroup } from './forms.ts';

/** API keys. */
export type KeyPages = {
  'console/keys': KeysPage;
  'console/key': KeyPage;
  'console/key-form': KeyFormPage;
};

export type KeyRow = {
  id: string;
  url: string;
  name: string;
  /** As it begins and ends: "pr_live_…4x7Q". */
  mask: string;
  status: 'active' | 'expiring' | 'expired' | 'revoked';
  scopes: readonly string[];
  createdAt: string;
  expiresAt: string | undefined;
  lastUsedAt: string | undefined;
  lastUsedIp: string | undefined;
};

type KeysPage = {
  environment: Environment;
  /** `may`: in words; `createdBy`: undefined for somebody who is gone. */
  keys: readonly (KeyRow & { may: string; createdBy: string | undefined })[];
  /** Those that work, or those that have ended. */
  ended: boolean;
  lists: readonly Link[];
  nextUrl: string | undefined;
  /** Absent where the person's role can't make keys. */
  newUrl: string | undefined;
  curl: string;
};

/** From where a key was used of late. */
export type Caller = { network: string; lastSeenAt: string };

export type KeyPage = {
  key: KeyRow & {
    /** Empty for anywhere. */
    from: { addresses: readonly string[]; byOrganization: boolean };
    limits: readonly { label: string; value: number }[];
    /** In the last 24 hours. */
    requests: number;
    createdBy: string | undefined;
    callers: readonly Caller[];
    historyUrl: string;
  };
  /** The key that this one replaces, while somebody may still be using it. */
  old?: (KeyRow & { requests: number; callers: readonly Caller[] }) | undefined;
  saved: boolean;
  /** Absent where there is nothing to do, or the person may not. */
  manage?:
    | {
        editUrl: string;
        revokeUrl: string;
        rotate: FormOf<{ grace: string }> & { graces: readonly Choice[] };
      }
    | undefined;
};

export type KeyValues = {
  name: string;
  preset: string;
  expiresOn: string;
  ipAllowlist: string;
  perMinute: string;
  perDay: string;
  burst: string;
};

type KeyFormPage = FormOf<KeyValues> & {
  environment: Environment;
  /** The name of the key that is changed; absent for a new one. */
  editing?: string | undefined;
  presets: readonly Choice[];
  scopes: readonly ScopeGroup[];
  /** The organization's, which holds for keys without a list of their own. */
  defaultAllowlist: readonly string[];
  /** The first day that a key may end on. */
  tomorrow: string;
};
