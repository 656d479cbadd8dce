import { type Figures, figuresOf, type Plan } from '../../config/plans.ts';
import type { Replay, Replayed } from './replay.ts';
import type { Bucket, MinuteCount } from './usage.ts';

/** A minute of one bucket, and what its organization is allowed now: its plan, and its own figures where it has some. */
export type RecordedMinute = MinuteCount & {
  organizationName: string;
  plan: Plan;
  own: Partial<Figures>;
};

/** `from` inclusive, `to` exclusive; of all organizations unless one is named. */
export type RecordedRange = { organizationId?: string; from: Date; to: Date };

/** Gives the recorded minutes in pages: bucket after bucket, each bucket's minutes in their order. */
export type ReadMinutes = (range: RecordedRange) => AsyncIterable<RecordedMinute[]>;

/** Some of the calls of a bucket, and how many of them would be refused: as it is now, and on the plan that is tried. */
export type TriedBucket = Bucket & {
  organizationName: string;
  plan: Plan;
  requests: number;
  present: Replayed;
  tried: Replayed;
};

export type TriedPlan = {
  plan: Plan;
  /** Of the minutes that were recorded in the range; undefined when there are none. */
  recorded: { from: Date; to: Date } | undefined;
  requests: number;
  /** How many buckets there were, refused or not. */
  buckets: number;
  /** Those in which calls would be refused, now or on the plan; the most refused on the plan first. */
  refused: TriedBucket[];
};

export type TryPlan = (plan: Plan, range: RecordedRange) => Promise<TriedPlan>;

/**
 * Replays recorded calls against a plan, and against what their organizations have now. The plan is tried as it stands
 * in the table, without figures of an organization's own.
 */
export function createTryPlan(deps: {
  readMinutes: ReadMinutes;
  /** A replay that begins with nothing counted. */
  replayOf(figures: Figures): Replay;
}): TryPlan {
  const { readMinutes, replayOf } = deps;
  return async (plan, range) => {
    const result: TriedPlan = { plan, recorded: undefined, requests: 0, buckets: 0, refused: [] };
    let open: (Omit<TriedBucket, 'present' | 'tried'> & { present: Replay; tried: Replay }) | undefined;

    const close = (): void => {
      if (!open) return;
      const bucket = { ...open, present: open.present.result(), tried: open.tried.result() };
      result.buckets++;
      result.requests += bucket.requests;
      if (bucket.present.refused > 0 || bucket.tried.refused > 0) result.refused.push(bucket);
      open = undefined;
    };

    for await (const page of readMinutes(range)) {
      for (const minute of page) {
        if (!open || !isSameBucket(open, minute)) {
          close();
          open = begin(minute);
        }
        open.requests += minute.asked.reduce((all, one) => all + one, 0);
        open.present.minute(minute.minute, minute.asked);
        open.tried.minute(minute.minute, minute.asked);
        result.recorded = widen(result.recorded, minute.minute);
      }
    }
    close();
    result.refused.sort((a, b) => b.tried.refused - a.tried.refused || b.present.refused - a.present.refused);
    return result;

    function begin({
      organizationId,
      organizationName,
      environment,
      method,
      plan: now,
      own,
    }: RecordedMinute) {
      return {
        organizationId,
        organizationName,
        environment,
        method,
        plan: now,
        requests: 0,
        present: replayOf(figuresOf(now, method, own)),
        tried: replayOf(figuresOf(plan, method)),
      };
    }
  };
}

const isSameBucket = (a: Bucket, b: Bucket): boolean =>
  a.organizationId === b.organizationId && a.environment === b.environment && a.method === b.method;

const MINUTE_MS = 60_000;

function widen(recorded: TriedPlan['recorded'], minute: Date): { from: Date; to: Date } {
  const end = new Date(minute.getTime() + MINUTE_MS);
  if (!recorded) return { from: minute, to: end };
  return {
    from: minute < recorded.from ? minute : recorded.from,
    to: end > recorded.to ? end : recorded.to,
  };
}
