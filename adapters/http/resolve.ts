import type { LookupAddress } from 'node:dns';
import { NODATA, NOTFOUND, Resolver } from 'node:dns/promises';

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

const TIMEOUT_MS = 2_000;
const TRIES = 2;

/**
 * Asks the name servers, and nothing else. The system's own lookup runs in the few threads that hashing and files need, too:
 * a stranger's name server that doesn't answer would hold them, and with them everybody's names. The hosts file is not
 * read; `localhost` is loopback (RFC 6761 §6.3).
 *
 * `servers`: as `dns.setServers` takes them; the system's when absent.
 */
export function createDnsResolve(servers?: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers) resolver.setServers([...servers]);
  return async (hostname) => {
    if (/^(?:.+\.)?localhost\.?$/i.test(hostname)) {
      return [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ];
    }
    const found = await Promise.all([
      addresses(resolver.resolve4(hostname), 4),
      addresses(resolver.resolve6(hostname), 6),
    ]);
    return found.flat();
  };
}

/** None where the name has none of that family: another failure may hide an address that has to be looked at. */
async function addresses(asking: Promise<string[]>, family: 4 | 6): Promise<LookupAddress[]> {
  try {
    return (await asking).map((address) => ({ address, family }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === NODATA || code === NOTFOUND) return [];
    throw error;
  }
}
