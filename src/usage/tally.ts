import type { MeteredCall } from '../http/route.ts';
import { networkOf } from '../kernel/network-of.ts';
import type { Principal } from '../principals/principal.ts';
import { credentialOf, type HourCount, type MinuteCount, type NetworkUse, OTHER } from './usage.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export type MeteredPrincipalCall = MeteredCall & { principal: Principal };

/** Counts that were gathered in memory, of each kind at most so many rows. */
export type Tally = {
  /** False when the call could not be counted for want of room. */
  count(call: MeteredPrincipalCall, at: Date): boolean;
  hours(): HourCount[];
  minutes(): MinuteCount[];
  /** Several may name one network, when a caller changed its address within it. */
  networks(): NetworkUse[];
};

/**
 * Past `mostRows` different rows of hours, a call is counted as of credential and route OTHER, which keeps the sums of its
 * organization and bucket exact; past twice as many it isn't counted. Seconds and networks past `mostRows` are left out:
 * no sum rests on them.
 */
export function createTally(mostRows: number): Tally {
  const hours = new Map<string, HourCount>();
  const minutes = new Map<string, MinuteCount>();
  const networks = new Map<string, NetworkUse>();

  const hourOf = (call: MeteredPrincipalCall, credential: string, atMs: number): HourCount | undefined => {
    const { principal, route, status } = call;
    const { organizationId, environment, method } = principal;
    const hourMs = atMs - (atMs % HOUR_MS);
    const owner = `${hourMs} ${organizationId} ${environment} ${method} ${status}`;
    const key = `${owner} ${credential} ${route.method} ${route.path}`;
    const found = hours.get(key);
    if (found) return found;
    const row = {
      organizationId,
      environment,
      method,
      hour: new Date(hourMs),
      credential,
      route: `${route.method} ${route.path}`,
      scope: route.scope,
      status,
      requests: 0,
      allowed: 0,
      refused: 0,
    };
    if (hours.size < mostRows) {
      hours.set(key, row);
      return row;
    }
    const coarse = hours.get(owner);
    if (coarse || hours.size >= 2 * mostRows) return coarse;
    const other = { ...row, credential: OTHER, route: OTHER, scope: OTHER };
    hours.set(owner, other);
    return other;
  };

  const countSecond = ({ organizationId, environment, method }: Principal, atMs: number): void => {
    const minuteMs = atMs - (atMs % MINUTE_MS);
    const key = `${minuteMs} ${organizationId} ${environment} ${method}`;
    let row = minutes.get(key);
    if (!row) {
      if (minutes.size >= mostRows) return;
      const asked = Array.from({ length: 60 }, () => 0);
      row = { organizationId, environment, method, minute: new Date(minuteMs), asked };
      minutes.set(key, row);
    }
    const second = Math.floor((atMs - minuteMs) / SECOND_MS);
    row.asked[second] = (row.asked[second] ?? 0) + 1;
  };

  const countNetwork = (principal: Principal, credential: string, ip: string, at: Date): void => {
    const { organizationId, environment } = principal;
    const key = `${Math.floor(at.getTime() / DAY_MS)} ${organizationId} ${environment} ${credential} ${ip}`;
    const found = networks.get(key);
    if (found) {
      if (at > found.lastSeenAt) found.lastSeenAt = at; // a clock may be set back
    } else if (networks.size < mostRows) {
      const network = networkOf(ip);
      const seen = { firstSeenAt: at, lastSeenAt: at };
      networks.set(key, { organizationId, environment, credential, network, ...seen });
    }
  };

  return {
    count: (call, at) => {
      const { principal, limited, ip } = call;
      const credential = credentialOf(principal);
      if (limited !== 'not_reached') countSecond(principal, at.getTime());
      countNetwork(principal, credential, ip, at);
      const row = hourOf(call, credential, at.getTime());
      if (!row) return false;
      row.requests++;
      if (limited === 'allowed') row.allowed++;
      if (limited === 'refused') row.refused++;
      return true;
    },
    hours: () => [...hours.values()],
    minutes: () => [...minutes.values()],
    networks: () => [...networks.values()],
  };
}
