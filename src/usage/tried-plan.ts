import type { Replayed } from './replay.ts';
import type { TriedPlan } from './try-plan.ts';

/** For programs: times as ISO 8601, null where there is none. */
export const presentTried = ({ plan, recorded, requests, buckets, refused }: TriedPlan) => ({
  plan,
  from: recorded?.from.toISOString() ?? null,
  to: recorded?.to.toISOString() ?? null,
  requests,
  buckets,
  refused: refused.map(({ plan: presentPlan, present, tried, ...bucket }) => ({
    organizationId: bucket.organizationId,
    organizationName: bucket.organizationName,
    environment: bucket.environment,
    method: bucket.method,
    presentPlan,
    requests: bucket.requests,
    present: presentReplayed(present),
    tried: presentReplayed(tried),
  })),
});

const presentReplayed = ({ refused, refusedBy, firstRefusedAt, lastRefusedAt, worstMinute }: Replayed) => ({
  refused,
  refusedBy,
  firstRefusedAt: firstRefusedAt?.toISOString() ?? null,
  lastRefusedAt: lastRefusedAt?.toISOString() ?? null,
  worstMinute: worstMinute ? { at: worstMinute.at.toISOString(), refused: worstMinute.refused } : null,
});

/** For the person at the terminal. */
export function describeTried({ plan, recorded, requests, buckets, refused }: TriedPlan): string {
  if (!recorded) return 'No calls are recorded in that time.\n';
  const time = (at: Date) =>
    at
      .toISOString()
      .replace(/:00\.000Z$/, 'Z')
      .replace('.000Z', 'Z');
  const head = `${count(requests, 'call')} in ${count(buckets, 'bucket')}, from ${time(recorded.from)} to ${time(recorded.to)}, tried on the plan ${plan}.\n`;
  const total = refused.reduce((all, { tried }) => all + tried.refused, 0);
  if (refused.length === 0) return `${head}None would be refused, nor is by the present plans.\n`;
  const lines = refused.map(({ tried, present, ...bucket }) => {
    const { firstRefusedAt, lastRefusedAt, worstMinute, refusedBy } = tried;
    const when =
      firstRefusedAt && lastRefusedAt && worstMinute
        ? `    first ${time(firstRefusedAt)}, last ${time(lastRefusedAt)}, worst minute ${time(worstMinute.at)} with ${worstMinute.refused}
    by the second ${refusedBy.second}, the minute ${refusedBy.minute}, the day ${refusedBy.day}\n`
        : '';
    return `
  ${bucket.organizationName} (${bucket.organizationId}), ${bucket.environment}, ${bucket.method}
    ${tried.refused} of ${bucket.requests} would be refused; on ${bucket.plan}, as now, ${present.refused}
${when}`;
  });
  return `${head}${count(total, 'call')} would be refused.\n${lines.join('')}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
