/** What a person has to show, beside the password, that it is them. */
export type Factors = {
  totp: { createdAt: Date; lastUsedAt: Date } | undefined;
  passkeys: readonly Passkey[];
  recoveryCodesLeft: number;
};

export type Passkey = {
  id: string;
  userId: string;
  /** As the person calls it. */
  name: string;
  credentialId: Buffer;
  /** COSE. */
  publicKey: Buffer;
  signCount: number;
  transports: readonly string[];
  createdAt: Date;
  lastUsedAt: Date | undefined;
};

/** Every method joins the open transaction. */
export type SecondFactorStore = {
  /** Makes changes of one person's factors wait for each other until the transaction ends. */
  lock(userId: string): Promise<void>;
  factorsOf(userId: string): Promise<Factors>;
  hasAny(userId: string): Promise<boolean>;

  /** False, and nothing is written, when there is one already. `step`: of the code that was shown for it. */
  insertTotp(factor: { userId: string; sealedSecret: Buffer; step: number }): Promise<boolean>;
  sealedTotpOf(userId: string): Promise<Buffer | undefined>;
  /** MUST be true once at most for a step, and for none before one that was spent, whoever asks at once. */
  spendTotpStep(userId: string, step: number): Promise<boolean>;
  deleteTotp(userId: string): Promise<boolean>;

  /** False when the credential is somebody's already. */
  insertPasskey(passkey: Omit<Passkey, 'createdAt' | 'lastUsedAt'>): Promise<boolean>;
  findPasskey(credentialId: Buffer): Promise<Passkey | undefined>;
  recordPasskeyUse(id: string, signCount: number): Promise<void>;
  /** False when the person has none of this id. */
  renamePasskey(userId: string, id: string, name: string): Promise<boolean>;
  /** The name that it had; undefined when the person has none of this id. */
  deletePasskey(userId: string, id: string): Promise<string | undefined>;
  /** MUST be true once at most for a challenge, until it has expired. */
  spendChallenge(hash: Buffer, ttlSeconds: number): Promise<boolean>;

  /** Earlier codes stop working. */
  replaceRecoveryCodes(userId: string, hashes: readonly Buffer[]): Promise<void>;
  /** MUST be true once at most for a code. */
  spendRecoveryCode(userId: string, hash: Buffer): Promise<boolean>;

  /** Deletes at most `most` challenges past their time; resolves with how many. */
  sweep(most: number): Promise<number>;
};
