import type { Figures } from '../../config/plans.ts';

/**
 * The decision over three windows, as pure functions. A window of a second or a minute begins with the first request
 * that it counts and lasts exactly that long; a day is the day in UTC. Nothing here reads a clock or keeps a count.
 */
export const WINDOWS = ['second', 'minute', 'day'] as const;

export type WindowName = (typeof WINDOWS)[number];

export const WINDOW_SECONDS: Record<WindowName, number> = { second: 1, minute: 60, day: 86_400 };

const DAY_MS = 86_400_000;

/** Requests that a window lets through; one that is absent counts nothing and refuses nothing. */
export type Limits = Partial<Record<WindowName, number>>;

/** `endsAtMs`: milliseconds since 1970. A window past its end counts as empty. */
export type WindowCount = { used: number; endsAtMs: number };

export type Counts = Partial<Record<WindowName, WindowCount>>;

/** Some limits, and what they have counted. Several are decided together: the organization's and a key's own. */
export type Counted = { limits: Limits; counts: Counts };

export const limitsOf = ({ perSecond, perMinute, perDay }: Partial<Figures>): Limits => ({
  ...(perSecond === undefined ? {} : { second: perSecond }),
  ...(perMinute === undefined ? {} : { minute: perMinute }),
  ...(perDay === undefined ? {} : { day: perDay }),
});

/** What is left when the counting can't be shared: half, so that a few nodes together stay near the limit; never nothing. */
export const halved = (limits: Limits): Limits =>
  Object.fromEntries(Object.entries(limits).map(([window, limit]) => [window, Math.max(1, limit >> 1)]));

/** When a window ends that begins now. */
export const windowEnd = (window: WindowName, nowMs: number): number =>
  window === 'day' ? nowMs - (nowMs % DAY_MS) + DAY_MS : nowMs + WINDOW_SECONDS[window] * 1000;

/**
 * Whether one more request passes all windows of all parts, and the counts after it. A refused request is counted
 * nowhere.
 */
export function take(nowMs: number, parts: readonly Counted[]): { allowed: boolean; parts: Counted[] } {
  const now = parts.map(({ limits, counts }) => ({ limits, counts: current(nowMs, limits, counts) }));
  const allowed = now.every(
    ({ limits, counts }) =>
      hasRoom(limits.second, counts.second) &&
      hasRoom(limits.minute, counts.minute) &&
      hasRoom(limits.day, counts.day),
  );
  if (!allowed) return { allowed, parts: now };
  return { allowed, parts: now.map(({ limits, counts }) => ({ limits, counts: oneMore(counts) })) };
}

const hasRoom = (limit: number | undefined, count: WindowCount | undefined): boolean =>
  limit === undefined || (count?.used ?? 0) < limit;

function oneMore(counts: Counts): Counts {
  const more: Counts = {};
  for (const window of WINDOWS) {
    const count = counts[window];
    if (count) more[window] = { used: count.used + 1, endsAtMs: count.endsAtMs };
  }
  return more;
}

/** The counts as they stand now: a window that has ended, or never began, begins now and is empty. */
export function current(nowMs: number, limits: Limits, counts: Counts): Counts {
  const now: Counts = {};
  for (const window of WINDOWS) {
    if (limits[window] === undefined) continue;
    const count = counts[window];
    const runs = count !== undefined && count.endsAtMs > nowMs;
    now[window] = runs ? count : { used: 0, endsAtMs: windowEnd(window, nowMs) };
  }
  return now;
}
