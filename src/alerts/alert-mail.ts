import type { Alert } from './alert.ts';

/** An alert's mail to one of its readers. */
export type AlertMail = {
  alert: Alert;
  userId: string;
  /** Undefined where that person has ceased to be a reader. */
  to: string | undefined;
  /** This one included. */
  attempts: number;
};

/** Mails that are still to be sent. Each is its reader's own: what becomes of one changes nothing for another. */
export type AlertMails = {
  /**
   * Makes the mails of at most `most` alerts, to those who are owners and admins now; how many alerts that were. An alert is taken
   * once, whichever process does it. MUST leave out mails beyond `mostDisabled` a day that tell one organization of
   * disabled webhooks: whoever may make webhooks can have as many disabled as they like.
   */
  address(most: number, mostDisabled: number): Promise<number>;
  /** Mails that are due, turn by turn between organizations; no other caller gets them for `leaseSeconds`. */
  claim(most: number, leaseSeconds: number): Promise<AlertMail[]>;
  /** It went, or is not to go. */
  drop(mail: AlertMail): Promise<void>;
  postpone(mail: AlertMail, seconds: number): Promise<void>;
};
