import type { Environment } from '../../config/environments.ts';
import type { Principal } from '../principals/principal.ts';

/**
 * Usage: what was asked of the API, by whom, and what became of it.
 *
 *     answered call → meter.ts counts it in memory → once a second one statement adds the counts → hours
 *     hours, once old → sweep.ts → days → dropped            hours and days → report.ts → GET /v1/usage
 *     seconds → replay.ts: who would another plan have refused?
 *
 * Every count is of answered calls of an authenticated principal. Of those the limits `allowed` some, `refused`
 * others (429), and never saw the rest (403).
 */

/** What limits count by. */
export type Bucket = { organizationId: string; environment: Environment; method: Principal['method'] };

/** Whose calls: the API key, the app, or the app with the person for whom it acts (`usr_…:app_…`). */
export const credentialOf = ({ id, userId, clientId }: Principal): string =>
  userId !== undefined && clientId !== undefined ? `${userId}:${clientId}` : id;

/** Stands for the credentials and routes that were too many to be told apart. */
export const OTHER = 'other';

export type Counts = { requests: number; allowed: number; refused: number };

export type HourCount = Bucket &
  Counts & {
    /** The start of a UTC hour. */
    hour: Date;
    /** As `credentialOf` has it, or OTHER. */
    credential: string;
    /** Method and path template: `GET /v1/prompts/:id`; or OTHER. */
    route: string;
    /** What the route needs. */
    scope: string;
    status: number;
  };

export type MinuteCount = Bucket & {
  /** The start of a UTC minute. */
  minute: Date;
  /** Sixty: how many calls asked the limits to pass in each second, whatever the answer was. */
  asked: number[];
};

/** A network (see kernel/network-of.ts) from which a credential was used on a UTC day. */
export type NetworkUse = Pick<Bucket, 'organizationId' | 'environment'> & {
  credential: string;
  network: string;
  firstSeenAt: Date;
  lastSeenAt: Date;
};

/** Counts to add. A process numbers its batches upwards, and writes one only when those before it are written. */
export type UsageBatch = {
  writerId: string;
  number: number;
  hours: readonly HourCount[];
  minutes: readonly MinuteCount[];
  networks: readonly NetworkUse[];
};

/** Everything that writes or reads counts. `utcDay`: any instant of that day. */
export type UsageStore = {
  /**
   * Adds all of a batch, or nothing of it. One that was written before is not added again, so that a batch of which it is
   * not known may be repeated. What belongs to organizations that are gone is left out.
   */
  add(batch: UsageBatch): Promise<void>;
  /**
   * What the limits let through on that day, of one bucket. `capId`: of that key, with those it was rotated into, or that app
   * alone.
   */
  allowedOnDay(bucket: Bucket, utcDay: Date, capId?: string): Promise<number>;
  /** The same of all buckets, apart by key or app: for a process that starts to count by itself. */
  allAllowedOnDay(utcDay: Date): Promise<(Bucket & { capId: string; allowed: number })[]>;
};
