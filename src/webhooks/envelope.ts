import type { Clock } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { QueuedEvent } from './delivery.ts';
import type { PublishEvent } from './event.ts';
import type { WebhookOwner } from './webhook.ts';

/** The shape of what is sent. A change that a receiver could notice gets a new date. */
const API_VERSION = '2024-01-15';

/** An event with its id and the text that is signed and sent, the same in each attempt. Pure but for the id. */
export function envelop(type: string, data: object, at: Date): QueuedEvent {
  const id = newId('evt', at);
  const body = JSON.stringify({ id, type, apiVersion: API_VERSION, createdAt: at.toISOString(), data });
  return { id, type, body, createdAt: at };
}

/**
 * Keeps an event and a delivery for each active webhook of the owner that wants it; nothing where none does. Joins the open
 * transaction, and is one statement of it. Resolves with the number of deliveries.
 */
export type Outbox = (owner: WebhookOwner, event: QueuedEvent) => Promise<number>;

export const createPublisher =
  (deps: { outbox: Outbox; clock: Clock; countQueued(deliveries: number): void }): PublishEvent =>
  async ({ type, organizationId, environment, data }) =>
    deps.countQueued(await deps.outbox({ organizationId, environment }, envelop(type, data, deps.clock())));
