export type User = {
  id: string;
  /** Lower case: addresses are compared without case. */
  email: string;
  name: string;
  /** argon2id, in PHC format. */
  passwordHash: string;
  emailConfirmedAt: Date | undefined;
  deactivatedAt: Date | undefined;
};

export type EmailTokenPurpose = 'confirm_email' | 'reset_password' | 'change_email';

/** Every method joins the open transaction. Addresses are given as `kernel/email.ts` normalizes them. */
export type UserStore = {
  /** False when the address is taken; nothing is written then. */
  insert(user: Pick<User, 'id' | 'email' | 'name' | 'passwordHash'>): Promise<boolean>;
  find(id: string): Promise<User | undefined>;
  findByEmail(email: string): Promise<User | undefined>;
  /** True once: false when it was confirmed before. */
  confirmEmail(id: string): Promise<boolean>;
  /** False when there is no such person, or it is so already. Holds the person's row until the transaction ends. */
  setDeactivated(id: string, deactivated: boolean): Promise<boolean>;
  setPassword(id: string, passwordHash: string): Promise<void>;
  setName(id: string, name: string): Promise<void>;
  /** The new address counts as confirmed. False, and nothing is written, when it is another's by now. */
  changeEmail(id: string, email: string): Promise<boolean>;
  /** Replaces earlier tokens of the same purpose: only the newest link works. */
  putEmailToken(token: {
    hash: Buffer;
    userId: string;
    purpose: EmailTokenPurpose;
    ttlSeconds: number;
    /** For `change_email` alone, and always there. */
    newEmail?: string;
  }): Promise<void>;
  /** Whose token it is, without spending it; undefined when unknown, spent or expired (by the database's clock). */
  peekEmailToken(hash: Buffer, purpose: EmailTokenPurpose): Promise<string | undefined>;
  /** The same, and spends it: of several at once exactly one gets the user id. */
  takeEmailToken(hash: Buffer, purpose: EmailTokenPurpose): Promise<string | undefined>;
  /** The same for a change of address: whose, and to which. */
  takeEmailChange(hash: Buffer): Promise<{ userId: string; newEmail: string } | undefined>;
  dropEmailTokens(userId: string, purpose: EmailTokenPurpose): Promise<void>;
  /** Deletes at most `most` tokens past their time; resolves with how many. */
  sweepEmailTokens(most: number): Promise<number>;
};
