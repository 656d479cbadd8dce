import { hkdfSync } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { equalInConstantTime } from '../kernel/secret.ts';

const STEP_MS = 60_000;

/** Nonces of DPoP proofs (RFC 9449 §8): made from the time, so that every process takes those of every other. */
export type DpopNonces = {
  /** Good for at least two minutes. */
  next(): string;
  isCurrent(nonce: string): boolean;
};

/**
 * The same nonces as the OAuth library makes of the same secret: a client keeps one nonce an origin, and the token
 * endpoint and the API share theirs. A test holds the two together. `secret`: 32 bytes.
 */
export function createDpopNonces(secret: Buffer, clock: Clock): DpopNonces {
  const of = (step: number): Buffer => {
    const salt = Buffer.alloc(8);
    salt.writeBigUInt64BE(BigInt(step));
    return Buffer.from(Buffer.from(hkdfSync('sha256', secret, salt, 'DPoP', 32)).toString('base64url'));
  };
  const now = (): number => Math.floor(clock().getTime() / STEP_MS);

  return {
    next: () => of(now() + 1).toString(),
    isCurrent: (nonce) => {
      const presented = Buffer.from(nonce);
      return [-2, -1, 0, 1, 2]
        .map((distance) => equalInConstantTime(of(now() + distance), presented))
        .includes(true);
    },
  };
}
