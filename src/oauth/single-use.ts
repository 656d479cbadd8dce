import type Provider from 'oidc-provider';
import type { Clock } from '../kernel/clock.ts';
import { epochSeconds } from '../kernel/clock.ts';

export type SingleUseDeps = {
  clock: Clock;
  /** Notes that `key` was used. MUST be true for one caller alone, on all processes together, until `seconds` have passed. */
  useOnce(key: string, seconds: number): Promise<boolean>;
};

/** RFC 9449 §11.1: the library takes a proof made up to this long ago, or ahead, but remembers it from now alone. */
const AHEAD_SECONDS = 300;

/**
 * DPoP proofs and client assertions (RFC 7523 §3) are good once. The library looks, and then writes: two at once would both
 * pass. Here one statement does both.
 */
export function closeReplayRaces(provider: Provider, { clock, useOnce }: SingleUseDeps): void {
  const model = provider.ReplayDetection as unknown as {
    unique(issuer: string, jti: string, expiresAt: number): Promise<boolean>;
  };
  model.unique = (issuer, jti, expiresAt) =>
    useOnce(`${issuer}\0${jti}`, Math.max(1, expiresAt - epochSeconds(clock())) + AHEAD_SECONDS);
}
