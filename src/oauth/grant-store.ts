import type { GrantStanding } from './refresh-token-description.ts';

/** What people allowed apps to do, one row a person, app and organization. Every method joins the open transaction. */
export type GrantStore = {
  /**
   * Makes consents of one person wait for each other, and the deletion of the app for them, until the transaction ends. False
   * when person or app is gone. First in its transaction.
   */
  lockForConsent(of: { userId: string; appId: string }): Promise<boolean>;
  /** The id of the grant that was given last, whichever the organization. */
  latestFor(key: { userId: string; appId: string }): Promise<string | undefined>;
  /** MUST hold the grant until the transaction ends: one that is ended meanwhile must not come back, with its tokens. */
  findFor(key: { userId: string; appId: string; organizationId: string }): Promise<string | undefined>;
  /** What a refresh token under the grant rests on, in one statement; undefined when the grant is gone. */
  standingOf(grantId: string): Promise<GrantStanding | undefined>;
  /** Returns the organization that the grant was for; undefined when it was gone already. */
  delete(grantId: string): Promise<string | undefined>;
};
