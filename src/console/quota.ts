import type { Environment } from '../../config/environments.ts';
import type { Method } from '../../config/methods.ts';
import type { Quota } from '../../views/console/overview.ts';
import type { LimitsObject } from '../limits/routes.ts';

const METHOD_NAMES: Record<Method, string> = {
  api_key: 'API keys',
  oauth_user: 'Apps for people',
  client_credentials: 'Services',
};

/** What is left of the day to each way to authenticate; the bounds of single keys and apps are on their own pages. Pure. */
export const quotasOf = ({ buckets }: LimitsObject, environment: Environment): Quota[] =>
  buckets
    .filter((bucket) => bucket.environment === environment && bucket.credential === null)
    .flatMap(({ method, windows }) =>
      windows
        .filter(({ window }) => window === 'day')
        .map(({ limit, remaining, resetAt }) => ({
          label: METHOD_NAMES[method],
          limit,
          used: Math.max(0, limit - remaining),
          resetAt,
        })),
    );

/** The organization's figures, a row for each way to authenticate. Pure. */
export const limitRows = ({ buckets }: LimitsObject) =>
  buckets
    .filter((bucket) => bucket.environment === 'live' && bucket.credential === null)
    .map(({ method, windows }) => {
      const limitOf = (name: string): number => windows.find(({ window }) => window === name)?.limit ?? 0;
      return {
        label: METHOD_NAMES[method],
        perSecond: limitOf('second'),
        perMinute: limitOf('minute'),
        perDay: limitOf('day'),
      };
    });
