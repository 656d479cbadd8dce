import type { UsageRow } from '../../views/console/usage.ts';
import type { UsageObject } from '../usage/routes.ts';

const HOUR_MS = 3_600_000;

export type Step = 'hour' | 'day';

const STEP_MS: Record<Step, number> = { hour: HOUR_MS, day: 24 * HOUR_MS };

/** Ranges that end now. Hours for what is near, days for what is far. */
export const RANGES = {
  '24h': { label: '24 hours', step: 'hour', steps: 24 },
  '7d': { label: '7 days', step: 'hour', steps: 7 * 24 },
  '30d': { label: '30 days', step: 'day', steps: 30 },
  '90d': { label: '90 days', step: 'day', steps: 90 },
} as const satisfies Record<string, { label: string; step: Step; steps: number }>;

export type Range = keyof typeof RANGES;

export const isRange = (value: string): value is Range => Object.hasOwn(RANGES, value);

/** From the start of its first step to the end of the one that has begun. Pure. */
export function boundsOf(range: Range, now: Date): { from: string; to: string } {
  const { step, steps } = RANGES[range];
  const end = (Math.floor(now.getTime() / STEP_MS[step]) + 1) * STEP_MS[step];
  return {
    from: new Date(end - steps * STEP_MS[step]).toISOString(),
    to: new Date(end).toISOString(),
  };
}

/** A row for each step of the range, oldest first: where nothing was asked there is a zero and no gap. Pure. */
export function seriesOf({ from, to, data }: UsageObject, step: Step): UsageRow[] {
  const counts = new Map(data.map((row) => [Date.parse(row.group), row]));
  const rows: UsageRow[] = [];
  for (let at = Date.parse(from); at < Date.parse(to); at += STEP_MS[step]) {
    const found = counts.get(at);
    rows.push({
      at: new Date(at).toISOString(),
      requests: found?.requests ?? 0,
      refused: found?.refused ?? 0,
      clientErrors: found?.clientErrors ?? 0,
      serverErrors: found?.serverErrors ?? 0,
    });
  }
  return rows;
}

type Counts = Omit<UsageRow, 'at'>;

export const totalOf = (rows: readonly Counts[]): Counts =>
  rows.reduce<Counts>(
    (sum, row) => ({
      requests: sum.requests + row.requests,
      refused: sum.refused + row.refused,
      clientErrors: sum.clientErrors + row.clientErrors,
      serverErrors: sum.serverErrors + row.serverErrors,
    }),
    { requests: 0, refused: 0, clientErrors: 0, serverErrors: 0 },
  );
