import type { JWK } from 'jose';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';

/** next: published, not signing yet; current: signs; retired: verifies what it signed until that expires. */
export type SigningKeyStatus = 'next' | 'current' | 'retired';

/** A key pair for access and id tokens. `privateJwk` never leaves the process but sealed. */
export type SigningKey = {
  kid: string;
  algorithm: SigningAlgorithm;
  status: SigningKeyStatus;
  privateJwk: JWK;
};

export type SigningKeyStore = {
  /** Current first, then next, then retired. */
  list(): Promise<SigningKey[]>;
  /**
   * Adds the key unless there is a current one for its algorithm already (another process was faster).
   * Either way there is one afterwards.
   */
  insertFirst(key: SigningKey): Promise<void>;
};
