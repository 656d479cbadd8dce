import type { Environment } from '../../config/environments.ts';
import type { Method } from '../../config/methods.ts';
import type { Visible } from '../principals/principal.ts';

/*
 * What owners are alerted to, each thing once:
 *   usage tables -> reads.ts -> rules.ts, warnings.ts (pure) -> findings
 *   findings, and what other features raise -> raise.ts: a row that is unique, and with it the event for webhooks
 *   rows that are new -> alert-mail.ts: a mail for each owner and admin -> mailing.ts; the console lists them
 */

/** What is told, by kind. `subject`: the credential as usage names it; the webhook for webhook_disabled. */
export type AlertFacts =
  | { kind: 'new_network'; data: { networks: string[]; since: string } }
  | { kind: 'burst'; data: { hour: string; requests: number; usualRequests: number } }
  | { kind: 'refusals'; data: { hour: string; requests: number; refused: number } }
  | { kind: 'slept'; data: { lastUsedAt: string | null; days: number } }
  | { kind: 'outside_allowlist'; data: { ip: string } }
  | { kind: 'expiring'; data: { expiresAt: string; daysLeft: 30 | 7 | 1 } }
  | { kind: 'limit'; data: { method: Method; percent: 80 | 100; day: string; limit: number; used: number } }
  | { kind: 'leaked'; data: { secret: LeakedSecret; action: 'revoked' | 'rolled'; foundAt: string | null } }
  | { kind: 'webhook_disabled'; data: { url: string; reason: string } };

export type LeakedSecret = 'api_key' | 'client_secret' | 'refresh_token' | 'webhook_secret';

export type AlertKind = AlertFacts['kind'];

/** `period`: the same thing in the same period is told once, however often and by however many processes it is found. */
export type Finding = AlertFacts & { subject: string; period: string };

export type NewAlert = Finding & { organizationId: string; environment: Environment };

export type Alert = NewAlert & {
  id: string;
  /** What its owner calls the subject; undefined when it is gone or has no name. */
  subjectName: string | undefined;
  createdAt: Date;
};

/** Every method joins the open transaction. */
export type AlertStore = {
  /** False, and nothing is written, when it was told already, or the organization is gone. */
  insert(alert: NewAlert & { id: string; createdAt: Date }): Promise<boolean>;
  /** Whether somebody was told of a leak in that period. */
  wasLeakTold(period: string): Promise<boolean>;
  /** Newest first, from below the id `after`; at most `limit`. */
  list(visible: Visible, page: { limit: number; after: string | undefined }): Promise<Alert[]>;
  /** Deletes at most `most` of those older than that; resolves with how many. */
  forget(days: number, most: number): Promise<number>;
};
