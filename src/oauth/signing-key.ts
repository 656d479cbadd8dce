import type { JWK } from 'jose';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';

/** next: published, not signing yet; current: signs; retired: verifies what it signed until that expires. */
export type SigningKeyStatus = 'next' | 'current' | 'retired';

/** When what happened to a key, by the database's clock. */
export type SigningKeyFacts = {
  kid: string;
  algorithm: SigningAlgorithm;
  status: SigningKeyStatus;
  publishedAt: Date;
  /** When it began to sign; undefined for one that hasn't. */
  activatedAt: Date | undefined;
  /** When the operator asked for another key to take over. */
  rotationRequestedAt: Date | undefined;
  retiredAt: Date | undefined;
};

/** A key pair for access and id tokens. `privateJwk` never leaves the process but sealed. */
export type SigningKey = SigningKeyFacts & { privateJwk: JWK };

export type NewSigningKey = Pick<SigningKey, 'kid' | 'algorithm' | 'privateJwk'>;

/**
 * Every method joins the open transaction. The database holds each algorithm to one current and one next key, and tells every
 * process of each change when it commits.
 */
export type SigningKeyStore = {
  list(): Promise<SigningKey[]>;
  /** `list` without opening what is sealed, and the time. */
  facts(): Promise<{ keys: SigningKeyFacts[]; now: Date }>;
  /** Makes whoever changes keys wait for the others until the transaction ends. */
  lock(): Promise<void>;
  insert(key: NewSigningKey, status: 'next' | 'current'): Promise<void>;
  activate(kid: string): Promise<void>;
  retire(kid: string): Promise<void>;
  /** Of all that sign now. */
  requestRotation(): Promise<void>;
  /** False when there is no such key. */
  delete(kid: string): Promise<boolean>;
};
