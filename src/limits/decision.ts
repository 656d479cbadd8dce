import { type Counted, type Limits, WINDOWS, type WindowName } from './policy.ts';

export type WindowState = {
  window: WindowName;
  limit: number;
  /** Never below 0. */
  remaining: number;
  resetAtMs: number;
};

/** What was decided for one request, or would be, and what to tell its caller. */
export type Decision = {
  allowed: boolean;
  nowMs: number;
  /** The window that the headers describe. */
  shown: WindowState;
  /** Whole seconds, at least 1: a second earlier is too early, then is not. 0 when it was allowed. */
  retryAfterSeconds: number;
};

/**
 * Reads the counts as they are after `take`. The headers describe the window that refused (of several the one that
 * does so longest); else the minute's, or the day's when that has less left. Pure.
 *
 * `parts`: at least one, of which one has all three windows.
 */
export function decisionOf(nowMs: number, allowed: boolean, parts: readonly Counted[]): Decision {
  if (!allowed) {
    const states = parts.flatMap(({ limits, counts }) => statesOf(limits, counts));
    const refusing = states.filter(({ remaining }) => remaining === 0);
    const shown = refusing.reduce((a, b) => (b.resetAtMs > a.resetAtMs ? b : a));
    return {
      allowed,
      nowMs,
      shown,
      retryAfterSeconds: Math.max(1, Math.ceil((shown.resetAtMs - nowMs) / 1000)),
    };
  }
  const minute = tightest(parts, 'minute');
  const day = tightest(parts, 'day');
  return { allowed, nowMs, shown: day.remaining < minute.remaining ? day : minute, retryAfterSeconds: 0 };
}

/** Each window of some limits, the shortest first. */
export const statesOf = (limits: Limits, counts: Counted['counts']): WindowState[] =>
  WINDOWS.flatMap((window) => stateOf(limits, counts, window) ?? []);

function stateOf(limits: Limits, counts: Counted['counts'], window: WindowName): WindowState | undefined {
  const limit = limits[window];
  const count = counts[window];
  if (limit === undefined || count === undefined) return undefined;
  return { window, limit, remaining: Math.max(0, limit - count.used), resetAtMs: count.endsAtMs };
}

/** Of the parts that have this window, the one with the least left. */
function tightest(parts: readonly Counted[], window: WindowName): WindowState {
  let least: WindowState | undefined;
  for (const { limits, counts } of parts) {
    const state = stateOf(limits, counts, window);
    if (state && (!least || state.remaining < least.remaining)) least = state;
  }
  if (!least) throw new Error(`no part has the window ${window}`);
  return least;
}
