import type { Environment } from '../../config/environments.ts';
import type { Figures } from '../../config/plans.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import { hasSecretShape, issueSecret, type Secret } from '../kernel/secret.ts';
import type { Allowance, Visible } from '../principals/principal.ts';

/** What an API key is and may do; never the key itself. */
export type ApiKey = {
  id: string;
  organizationId: string;
  name: string;
  environment: Environment;
  scopes: readonly Scope[];
  /** The last four characters, by which its owner knows it again. */
  last4: string;
  /** The person who made it, and whose role caps it for as long as it lives; or the app, whose scopes do. */
  createdBy: string | undefined;
  createdByApp: string | undefined;
  createdAt: Date;
  expiresAt: Date | undefined;
  revokedAt: Date | undefined;
  /** Addresses and CIDR ranges that it may be used from; empty for the organization's. */
  ipAllowlist: readonly string[];
  /** Lower limits of its own. */
  limits: Partial<Figures>;
  /** The key that this one replaces. */
  rotatedFrom: string | undefined;
  /** The first of the keys of which each replaced the one before: limits of their own are counted for all of them together. */
  firstKeyId: string | undefined;
  /** When another key was made to replace this one. */
  replacedAt: Date | undefined;
  lastUsedAt: Date | undefined;
  lastUsedIp: string | undefined;
};

/** A key as verification needs it, read in one statement. */
export type KeyInUse = Pick<
  ApiKey,
  | 'id'
  | 'organizationId'
  | 'environment'
  | 'scopes'
  | 'expiresAt'
  | 'revokedAt'
  | 'ipAllowlist'
  | 'createdBy'
  | 'createdByApp'
  | 'createdAt'
> & {
  /** The creator's role; undefined when the creator is an app, or was deleted, deactivated, or left the organization. */
  creatorRole: Role | undefined;
  /** The scopes of the app that made it, while that app is of the same organization. */
  creatorAppScopes: readonly Scope[] | undefined;
  /** Of the organization, for keys that have no list of their own; empty for any address. */
  organizationIpAllowlist: readonly string[];
  /** Of the organization, and of the key within it. */
  allowance: Allowance;
  /** The database's clock when it was read: expiry goes by that, not by each machine's own. */
  readAt: Date;
};

/** What a change of a key may change. */
export type KeyChange = Partial<Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'ipAllowlist' | 'limits'>>;

/** Every method joins the open transaction. `hash`: SHA-256 of the whole key. */
export type ApiKeyStore = {
  insert(key: ApiKey, hash: Buffer): Promise<void>;
  findByHash(hash: Buffer): Promise<KeyInUse | undefined>;
  find(owner: Visible, id: string): Promise<ApiKey | undefined>;
  /** Newest first, from below the id `after`; at most `limit`. `usable`: only those that are neither revoked nor expired, or only the others. */
  list(
    owner: Visible,
    page: { limit: number; after: string | undefined; usable?: boolean | undefined },
  ): Promise<ApiKey[]>;
  /** The same as `find`, and MUST hold the key's lock until the transaction ends. */
  findForChange(owner: Visible, id: string): Promise<ApiKey | undefined>;
  /** Absent members stay; an `expiresAt` of undefined, given as a member, removes the expiry. */
  update(id: string, change: KeyChange): Promise<void>;
  revoke(id: string): Promise<void>;
  /** Marks it replaced, and lets it expire in `graceSeconds` unless it does earlier. By the database's clock. */
  replace(id: string, graceSeconds: number): Promise<void>;
  /** Counts the keys that are neither revoked nor expired; MUST make concurrent counts of one organization wait. */
  countUsable(organizationId: string): Promise<number>;
  /** Notes last uses; an earlier one never overwrites a later one. */
  recordUses(uses: readonly { id: string; at: Date; ip: string }[]): Promise<void>;
};

/** A promise to secret scanners everywhere: never change these. */
export const KEY_PREFIXES: Record<Environment, string> = { live: 'pr_live_', test: 'pr_test_' };

export const issueKey = (environment: Environment): Secret => issueSecret(KEY_PREFIXES[environment]);

/** Whether a credential claims to be one of our keys, right or wrong. */
export const claimsToBeKey = (credential: string): boolean =>
  Object.values(KEY_PREFIXES).some((prefix) => credential.startsWith(prefix));

/** Whether prefix, length, alphabet and checksum are right: what isn't, we never issued, and needn't look up. */
export const hasKeyShape = (credential: string): boolean =>
  Object.values(KEY_PREFIXES).some((prefix) => hasSecretShape(prefix, credential));

/** Where a key may be used from: a list of its own takes the place of the organization's. Empty for anywhere. Pure. */
export const allowlistOf = ({
  ipAllowlist,
  organizationIpAllowlist,
}: Pick<KeyInUse, 'ipAllowlist' | 'organizationIpAllowlist'>): readonly string[] =>
  ipAllowlist.length > 0 ? ipAllowlist : organizationIpAllowlist;

export type KeyStatus = 'active' | 'expiring' | 'expired' | 'revoked';

const EXPIRING_DAYS = 7;

/** expiring: it was replaced, or has less than a week to live. Pure. */
export function statusOf(key: Pick<ApiKey, 'expiresAt' | 'revokedAt' | 'replacedAt'>, now: Date): KeyStatus {
  if (key.revokedAt) return 'revoked';
  const leftMs = key.expiresAt ? key.expiresAt.getTime() - now.getTime() : Number.POSITIVE_INFINITY;
  if (leftMs <= 0) return 'expired';
  return key.replacedAt || leftMs < EXPIRING_DAYS * 86_400_000 ? 'expiring' : 'active';
}
