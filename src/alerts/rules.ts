import type { Finding } from './alert.ts';

/** The calls of one credential in one UTC hour. `refused`: answered 403 or 429. */
export type HourOfUse = { hour: Date; requests: number; refused: number };

/** What a credential did lately: the hour that has begun last, and its hours with calls in the 14 days before. */
export type ActivityTrace = { credential: string; current: HourOfUse; before: readonly HourOfUse[] };

/** A network from which a credential was used on a UTC day. */
export type DayOnNetwork = { network: string; firstSeenAt: Date; lastSeenAt: Date };

/** Where a credential was used from, as far back as that is kept, which is `recordedSince` at the most. */
export type NetworkTrace = {
  credential: string;
  createdAt: Date;
  recordedSince: Date;
  days: readonly DayOnNetwork[];
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Stated once, here; docs/alerts.md repeats them. */
export const THRESHOLDS = {
  burst: {
    /** Below this nothing is a burst. */
    leastRequests: 500,
    /** Above the mean of its hours with calls, and above the highest of them. */
    timesMean: 10,
    timesHighest: 3,
    /** Hours with calls that a baseline needs. */
    leastHours: 24,
  },
  refusals: {
    leastRefused: 50,
    /** Of the hour's calls. */
    leastShare: 0.5,
  },
  newNetwork: {
    /** A credential in use for less has no usual networks. */
    leastDaysInUse: 7,
    /** One that came from more in the days before comes from anywhere: no network is unusual. */
    mostUsualNetworks: 20,
    usualDays: 30,
  },
  slept: { days: 90 },
} as const;

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** An hour far above everything that the credential did before. Told once a day. */
export function burst({ credential, current, before }: ActivityTrace): Finding | undefined {
  const { leastRequests, timesMean, timesHighest, leastHours } = THRESHOLDS.burst;
  if (current.requests < leastRequests || before.length < leastHours) return undefined;
  const requests = before.map((hour) => hour.requests);
  const mean = requests.reduce((sum, one) => sum + one, 0) / requests.length;
  const highest = Math.max(...requests);
  if (current.requests < timesMean * mean || current.requests < timesHighest * highest) return undefined;
  return {
    kind: 'burst',
    subject: credential,
    period: dayOf(current.hour),
    data: {
      hour: current.hour.toISOString(),
      requests: current.requests,
      usualRequests: Math.round(mean),
    },
  };
}

/** An hour in which most calls were refused, by scope, by allowlist or by the limits. Told once a day. */
export function refusals({ credential, current }: ActivityTrace): Finding | undefined {
  const { leastRefused, leastShare } = THRESHOLDS.refusals;
  const { hour, requests, refused } = current;
  if (refused < leastRefused || refused < leastShare * requests) return undefined;
  return {
    kind: 'refusals',
    subject: credential,
    period: dayOf(hour),
    data: { hour: hour.toISOString(), requests, refused },
  };
}

/** A use, since `since`, from a network that it never came from before. Told once a day, with all of them so far. */
export function newNetwork({ credential, days }: NetworkTrace, since: Date): Finding | undefined {
  const { leastDaysInUse, mostUsualNetworks, usualDays } = THRESHOLDS.newNetwork;
  const firstOf = new Map<string, number>();
  for (const { network, firstSeenAt } of days) {
    firstOf.set(network, Math.min(firstOf.get(network) ?? Number.POSITIVE_INFINITY, firstSeenAt.getTime()));
  }
  const found = [...firstOf].filter(([, atMs]) => atMs >= since.getTime());
  if (found.length === 0) return undefined;

  const at = Math.min(...found.map(([, atMs]) => atMs));
  if (at - Math.min(...firstOf.values()) < leastDaysInUse * DAY_MS) return undefined;
  const usual = new Set(
    days
      .filter(
        ({ firstSeenAt }) => firstSeenAt.getTime() < at && firstSeenAt.getTime() >= at - usualDays * DAY_MS,
      )
      .map(({ network }) => network),
  );
  if (usual.size > mostUsualNetworks) return undefined;
  const firstAt = new Date(at);
  return {
    kind: 'new_network',
    subject: credential,
    period: dayOf(firstAt),
    data: { networks: found.map(([network]) => network).sort(), since: firstAt.toISOString() },
  };
}

/**
 * A use, since `since`, after 90 days without one; of a credential that was never used, 90 days after it was made. Silent
 * where uses have not been recorded for as long.
 */
export function slept(
  { credential, createdAt, recordedSince, days }: NetworkTrace,
  since: Date,
): Finding | undefined {
  const sleepMs = THRESHOLDS.slept.days * DAY_MS;
  const awake = days
    .filter(({ firstSeenAt }) => firstSeenAt >= since)
    .map(({ firstSeenAt }) => firstSeenAt.getTime());
  if (awake.length === 0) return undefined;
  const wokeAt = Math.min(...awake);
  const earlier = days
    .filter(({ firstSeenAt }) => firstSeenAt < since)
    .map(({ lastSeenAt }) => lastSeenAt.getTime());
  const lastUsed = earlier.length > 0 ? Math.max(...earlier) : undefined;
  const asleepSince = lastUsed ?? Math.max(createdAt.getTime(), recordedSince.getTime());
  if (wokeAt - asleepSince < sleepMs) return undefined;
  const days_ = Math.floor((wokeAt - asleepSince) / DAY_MS);
  return {
    kind: 'slept',
    subject: credential,
    period: dayOf(new Date(wokeAt)),
    data: { lastUsedAt: lastUsed === undefined ? null : new Date(lastUsed).toISOString(), days: days_ },
  };
}
