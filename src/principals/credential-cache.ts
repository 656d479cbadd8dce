import { hash } from 'node:crypto';
import type { ChangeFeed } from '../kernel/change-feed.ts';
import type { Memory, Proven } from './resolve.ts';

type Entry = { proof: Proven; untilMs: number };

/**
 * Proofs of credentials, by the SHA-256 of the credential. A change anywhere evicts what rests on it; while the feed of
 * changes is not live, nothing is found here and nothing is kept. Bounded; the entry that was kept first goes first.
 *
 * `lifetimeSeconds`: an upper bound, for what no feed tells. 0 keeps nothing.
 */
export function createCredentialCache(
  feed: ChangeFeed,
  { lifetimeSeconds, maxEntries }: { lifetimeSeconds: number; maxEntries: number },
): Memory {
  const entries = new Map<string, Entry>();
  const byTag = new Map<string, Set<string>>();
  let generation = 0;

  const remove = (key: string): void => {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    for (const tag of entry.proof.restsOn?.tags ?? []) {
      const keys = byTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) byTag.delete(tag);
    }
  };

  feed.onChange((tag) => {
    generation += 1;
    for (const key of byTag.get(tag) ?? []) remove(key);
  });
  feed.onGap(() => {
    generation += 1;
    entries.clear();
    byTag.clear();
  });

  const keyOf = (credential: string): string => hash('sha256', credential, 'base64');

  return {
    find: (credential) => {
      if (!feed.isLive()) return undefined;
      const key = keyOf(credential);
      const entry = entries.get(key);
      if (!entry) return undefined;
      if (performance.now() < entry.untilMs) return entry.proof;
      remove(key);
      return undefined;
    },
    begin: () => generation,
    keep: (credential, proof, begun) => {
      const { restsOn } = proof;
      if (!restsOn || begun !== generation || !feed.isLive() || lifetimeSeconds === 0) return;
      const forMs = Math.min(lifetimeSeconds * 1000, restsOn.forMs ?? Number.POSITIVE_INFINITY);
      if (forMs <= 0) return;
      const key = keyOf(credential);
      remove(key);
      if (entries.size >= maxEntries) remove(entries.keys().next().value as string);
      entries.set(key, { proof, untilMs: performance.now() + forMs });
      for (const tag of restsOn.tags) {
        const keys = byTag.get(tag);
        if (keys) keys.add(key);
        else byTag.set(tag, new Set([key]));
      }
    },
  };
}
