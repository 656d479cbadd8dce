import { equalInConstantTime, hasSecretShape, sha256 } from '../kernel/secret.ts';
import type { RegisteredClient } from './client-metadata.ts';

const CLIENT_SECRET_PREFIX = 'secret_';

/** The id of the client's secret that `presented` is, of those valid at `nowMs`. Compares all of them, always. */
export function findSecret(
  client: Pick<RegisteredClient, 'secret_hashes'>,
  presented: string,
  nowMs: number,
): string | undefined {
  if (!hasSecretShape(CLIENT_SECRET_PREFIX, presented)) return undefined;
  const hash = sha256(presented);
  let found: string | undefined;
  for (const { id, sha256: known, expiresAtMs } of client.secret_hashes) {
    const same = equalInConstantTime(Buffer.from(known, 'hex'), hash);
    found = same && (expiresAtMs === null || expiresAtMs > nowMs) ? id : found;
  }
  return found;
}
