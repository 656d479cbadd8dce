import type { Lane } from './delivery.ts';

type Share = {
  /** Deliveries that may hold a slot at once. */
  slots: number;
  /** How long one holds its slot at the most; it goes on without. */
  heldMs: number;
  /** Deliveries under way at once, with and without a slot. */
  perOrganization: number;
  perWebhook: number;
};

/** How much of one process a lane may take up, and in it an organization and a webhook. */
export const LANES = {
  prompt: { slots: 64, heldMs: 2_000, perOrganization: 16, perWebhook: 8 },
  slow: { slots: 32, heldMs: 5_000, perOrganization: 8, perWebhook: 2 },
} as const satisfies Record<Lane, Share>;

export type UnderWay = { lane: Lane; startedMs: number };

/**
 * How many deliveries of the lane may be begun. One that hangs gives its slot back after `heldMs`: so receivers that hang, however
 * many there are, hold up the others for no longer than that. What is under way is bounded too: at `slots` for each `heldMs`
 * that an attempt may last. Pure.
 */
export function freeSlots(lane: Lane, underWay: Iterable<UnderWay>, nowMs: number): number {
  const { slots, heldMs } = LANES[lane];
  let held = 0;
  for (const one of underWay) if (one.lane === lane && nowMs - one.startedMs < heldMs) held += 1;
  return Math.max(0, slots - held);
}
