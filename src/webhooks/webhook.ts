import type { Environment } from '../../config/environments.ts';
import type { Secret } from '../kernel/secret.ts';
import type { Principal } from '../principals/principal.ts';

/** The data that a webhook is told of: that of one environment of one organization. */
export type WebhookOwner = { organizationId: string; environment: Environment };

export const webhookOwner = ({ organizationId, environment }: Principal): WebhookOwner => ({
  organizationId,
  environment,
});

/**
 * Why nothing is sent. owner: its owner said so. gone: the receiver answered 410. failing: no attempt succeeded for days.
 * backlog: more waited than it takes.
 */
export const DISABLED_REASONS = ['owner', 'gone', 'failing', 'backlog'] as const;

export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** Where events are sent to; never its secret. */
export type Webhook = WebhookOwner & {
  id: string;
  url: string;
  /** Events, families of them (`prompt.*`), or `*`. */
  events: readonly string[];
  description: string | null;
  /** Undefined while it is active. */
  disabledReason: DisabledReason | undefined;
  /** Until when its earlier secret signs beside the new one. */
  previousSecretUntil: Date | undefined;
  createdAt: Date;
  updatedAt: Date;
};

/** What a change may change; an undefined `disabledReason`, given as a member, makes it active again. */
export type WebhookChange = Partial<Pick<Webhook, 'url' | 'events' | 'description' | 'disabledReason'>>;

/** Every method joins the open transaction. Secrets are kept sealed (they sign), and by their SHA-256 to be recognised. */
export type WebhookStore = {
  insert(webhook: Webhook, secret: Secret): Promise<void>;
  find(owner: WebhookOwner, id: string): Promise<Webhook | undefined>;
  /** The same, and MUST hold the webhook's lock until the transaction ends. */
  findForChange(owner: WebhookOwner, id: string): Promise<Webhook | undefined>;
  /** The same, and MUST not be kept waiting without end by events that come. First in its transaction. */
  findForDeletion(owner: WebhookOwner, id: string): Promise<Webhook | undefined>;
  /** Newest first, from below the id `after`; at most `limit`. */
  list(owner: WebhookOwner, page: { limit: number; after: string | undefined }): Promise<Webhook[]>;
  update(id: string, change: WebhookChange, at: Date): Promise<void>;
  delete(id: string): Promise<void>;
  /**
   * Signs with `secret` from now on, and with the one before beside it for `graceSeconds` by the database's clock; one
   * older than that signs no more. Gives until when; undefined for a grace of 0.
   */
  replaceSecret(id: string, secret: Secret, graceSeconds: number): Promise<Date | undefined>;
  /** Counts an organization's webhooks; MUST make concurrent counts of one organization wait. */
  countOf(organizationId: string): Promise<number>;
  /** Disables an active one; false when it was not active. */
  disable(id: string, reason: DisabledReason): Promise<boolean>;
  /** The webhook that signs with the secret of this SHA-256; `isPrevious`: beside a newer one, for a grace. */
  findBySecret(hash: Buffer): Promise<(Webhook & { isPrevious: boolean }) | undefined>;
  /** Ends the grace of the previous secret in `graceSeconds`; false when it ends earlier by itself. */
  endPreviousSecret(id: string, graceSeconds: number): Promise<boolean>;
};
