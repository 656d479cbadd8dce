import { equalInConstantTime, hasSecretShape, sha256 } from '../kernel/secret.ts';
import type { RegisteredClient } from './client-metadata.ts';

const CLIENT_SECRET_PREFIX = 'secret_';

/** Whether `presented` is one of the client's secrets that are valid at `nowMs`. Compares all of them, always. */
export function matchesSecret(
  client: Pick<RegisteredClient, 'secret_hashes'>,
  presented: string,
  nowMs: number,
): boolean {
  if (!hasSecretShape(CLIENT_SECRET_PREFIX, presented)) return false;
  const hash = sha256(presented);
  let matches = false;
  for (const { sha256: known, expiresAtMs } of client.secret_hashes) {
    const same = equalInConstantTime(Buffer.from(known, 'hex'), hash);
    matches = (same && (expiresAtMs === null || expiresAtMs > nowMs)) || matches;
  }
  return matches;
}
