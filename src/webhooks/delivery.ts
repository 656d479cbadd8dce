import type { Secret } from '../kernel/secret.ts';
import type { DisabledReason, Webhook, WebhookOwner } from './webhook.ts';

export const DELIVERY_STATUSES = ['pending', 'succeeded', 'failed'] as const;

export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What a receiver answered, or why it could not be asked. `body`: its beginning. */
export type Answer = { durationMs: number } & (
  | { status: number; body: string; retryAfter: string | undefined }
  | { error: string }
);

/** One attempt, as it is kept and shown. */
export type Attempt = {
  /** ISO 8601. */
  at: string;
  url: string;
  /** As they were sent, without the signature. */
  headers: Record<string, string>;
  durationMs: number;
  status: number | null;
  body: string | null;
  error: string | null;
};

/** One event for one webhook, with the attempts to send it. */
export type Delivery = {
  id: string;
  webhookId: string;
  eventId: string;
  eventType: string;
  /** What is sent, the same in each attempt. */
  body: string;
  redeliveryOf: string | undefined;
  status: DeliveryStatus;
  attemptCount: number;
  /** The oldest first. */
  attempts: readonly Attempt[];
  /** Of a pending one. While it is being attempted: when another process takes it over, should this one die. */
  nextAttemptAt: Date | undefined;
  createdAt: Date;
  completedAt: Date | undefined;
};

export type QueuedEvent = { id: string; type: string; body: string; createdAt: Date };

/** What people and programs see of deliveries, and may ask for. Joins the open transaction. */
export type DeliveryStore = {
  /** Of that webhook alone, the newest first, from below the id `after`; at most `limit`. */
  list(webhookId: string, page: { limit: number; after: string | undefined }): Promise<Delivery[]>;
  find(webhookId: string, id: string): Promise<Delivery | undefined>;
  /** Queues an event for this webhook, whatever it subscribes to. */
  queue(webhook: WebhookOwner & Pick<Webhook, 'id'>, event: QueuedEvent): Promise<Delivery>;
  /** Queues the same event once more. Undefined when there is no such delivery. */
  queueAgain(webhookId: string, id: string): Promise<Delivery | undefined>;
};

/**
 * prompt: those whose last answer was a success within seconds, and new ones. slow: all others; they share few slots,
 * and hold up nobody else.
 */
export type Lane = 'prompt' | 'slow';

/** A delivery that a worker has to itself until its lease ends. */
export type Claimed = {
  id: string;
  webhook: Pick<Webhook, 'id' | 'organizationId' | 'environment' | 'url'>;
  lane: Lane;
  event: Pick<QueuedEvent, 'id' | 'body'>;
  attemptCount: number;
  /** Since it was queued, by the database's clock. */
  ageSeconds: number;
  /** Since it was due. */
  waitedSeconds: number;
  /** Since when no attempt of this webhook succeeded; 0 when the last one did. */
  failingForSeconds: number;
  /** The newest first. Throws when they can't be opened. */
  openSecrets(): Secret[];
};

export type ClaimRequest = {
  /** Names the worker: only it may complete what it claimed. */
  worker: string;
  lane: Lane;
  /** At most so many, and of one webhook and one organization at most so many together with those that are `busy`. */
  most: number;
  perWebhook: number;
  perOrganization: number;
  /** The webhook of each delivery that this worker has under way in the lane. */
  busy: readonly Pick<Webhook, 'id' | 'organizationId'>[];
  leaseSeconds: number;
};

/** What becomes of a delivery after an attempt. */
export type Outcome = {
  /** undefined: no more attempts. */
  retryInSeconds: number | undefined;
  /** For how long the webhook's other deliveries wait, too: its receiver asked for it. */
  pauseSeconds: number | undefined;
  succeeded: boolean;
  /** Whether the webhook's next deliveries go to the slow lane. */
  slow: boolean;
  disable: DisabledReason | undefined;
};

/** The queue as workers see it. All times are the database's. */
export type DeliveryQueue = {
  /**
   * Takes deliveries that are due, turn by turn between organizations. What another worker has under lease is never
   * given; what it had and whose lease has ended, is.
   */
  claim(request: ClaimRequest): Promise<Claimed[]>;
  /** Leases begin anew, as far as the worker still has them. */
  renew(worker: string, ids: readonly string[], leaseSeconds: number): Promise<void>;
  /** Gives back what was not attempted to its end: due at once. */
  release(worker: string, ids: readonly string[]): Promise<void>;
  /** Writes an attempt and its outcome down. False, and nothing is written, when the worker's lease was taken over. */
  complete(worker: string, id: string, attempt: Attempt, outcome: Outcome): Promise<boolean>;
};
