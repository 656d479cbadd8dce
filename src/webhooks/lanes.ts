import type { Lane } from './delivery.ts';
import { PROMPT_WITHIN_MS } from './outcome.ts';

/** How much of one process a webhook, an organization and a lane may take up. */
export const SLOTS = {
  /** Deliveries to prompt receivers that are under way at once. */
  prompt: 64,
  /** To those that failed or were slow the last time. */
  slow: 32,
  /** Of all kinds, those that turned out slow on the way included: an open connection and one event each. */
  all: 256,
  perOrganization: 16,
  perWebhook: { prompt: 8, slow: 2 },
} as const;

export type UnderWay = { lane: Lane; startedMs: number };

/**
 * How many deliveries of each lane may be begun. One that takes longer than a prompt answer gives its slot in the prompt lane
 * back: so no receiver, however many there are that hang, holds up the others for longer than that. Pure.
 */
export function freeSlots(underWay: Iterable<UnderWay>, nowMs: number): Record<Lane, number> {
  let prompt = 0;
  let slow = 0;
  let all = 0;
  for (const { lane, startedMs } of underWay) {
    all += 1;
    if (lane === 'slow') slow += 1;
    else if (nowMs - startedMs < PROMPT_WITHIN_MS) prompt += 1;
  }
  const left = Math.max(0, SLOTS.all - all);
  return {
    prompt: Math.max(0, Math.min(left, SLOTS.prompt - prompt)),
    // Slow ones leave room in which a prompt one can always be begun.
    slow: Math.max(0, Math.min(left - SLOTS.prompt, SLOTS.slow - slow)),
  };
}
