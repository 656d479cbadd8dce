/** Who sent a request, as a person may recognise their own browser by. */
export type Visitor = {
  ip: string;
  /** The User-Agent header, at most 400 characters; "" when there was none. */
  userAgent: string;
};

/** A browser in which a person is signed in. */
export type SignedInBrowser = Visitor & {
  /** Names the session to its own person; opens nothing. */
  id: string;
  signedInAt: Date;
  lastSeenAt: Date;
};

/** Sessions as their person sees them, beside the OAuth library's own record. Every method joins the open transaction. */
export type SessionStore = {
  /**
   * How often all sessions of a person have been ended. MUST hold that still until the transaction ends. Undefined
   * when there is no such person.
   */
  holdEpoch(userId: string): Promise<number | undefined>;
  /** Whether the session of this uid has not been ended. */
  stands(uid: string): Promise<boolean>;
  /** Writes down where the session of this uid was begun, or begun anew by the same or another person. */
  recordSignIn(signIn: Visitor & { uid: string; userId: string }): Promise<void>;
  recordSeen(seen: readonly { id: string; ip: string; at: Date }[]): Promise<void>;
  /** The one last seen first; at most 100. */
  list(userId: string): Promise<SignedInBrowser[]>;
  /** The `id` under which `list` gives the session of this uid. */
  idOf(uid: string): string;
  /** MUST keep the session ended if it is being written at this moment. False when it was gone already. */
  end(userId: string, id: string): Promise<boolean>;
  /** Ends every session of a person, and every sign-in that has not become a session yet. */
  endAll(userId: string): Promise<void>;
  /** Forgets what is known of at most `most` sessions that are no more; resolves with how many those were. */
  sweep(most: number): Promise<number>;
};
