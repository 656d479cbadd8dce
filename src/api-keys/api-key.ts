import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import { hasSecretShape, issueSecret, type Secret } from '../kernel/secret.ts';

/** What an API key is and may do; never the key itself. */
export type ApiKey = {
  id: string;
  organizationId: string;
  name: string;
  environment: Environment;
  scopes: readonly Scope[];
  /** The last four characters, by which its owner knows it again. */
  last4: string;
  /** The person who made it, and whose role caps it for as long as it lives. */
  createdBy: string | undefined;
  createdAt: Date;
  expiresAt: Date | undefined;
};

/** A key as verification needs it, read in one statement. */
export type KeyInUse = Pick<ApiKey, 'id' | 'organizationId' | 'environment' | 'scopes' | 'expiresAt'> & {
  revokedAt: Date | undefined;
  /** Undefined when the creator was deleted, deactivated, or left the organization. */
  creatorRole: Role | undefined;
  /** The database's clock when it was read: expiry goes by that, not by each machine's own. */
  readAt: Date;
};

/** Every method joins the open transaction. `hash`: SHA-256 of the whole key. */
export type ApiKeyStore = {
  insert(key: ApiKey, hash: Buffer): Promise<void>;
  findByHash(hash: Buffer): Promise<KeyInUse | undefined>;
};

/** A promise to secret scanners everywhere: never change these. */
const KEY_PREFIXES: Record<Environment, string> = { live: 'pr_live_', test: 'pr_test_' };

export const issueKey = (environment: Environment): Secret => issueSecret(KEY_PREFIXES[environment]);

/** Whether a credential claims to be one of our keys, right or wrong. */
export const claimsToBeKey = (credential: string): boolean =>
  Object.values(KEY_PREFIXES).some((prefix) => credential.startsWith(prefix));

/** Whether prefix, length, alphabet and checksum are right: what isn't, we never issued, and needn't look up. */
export const hasKeyShape = (credential: string): boolean =>
  Object.values(KEY_PREFIXES).some((prefix) => hasSecretShape(prefix, credential));
