import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import type { ChangeFeed } from '../kernel/change-feed.ts';
import { isId } from '../kernel/ids.ts';
import type { RegisteredClient } from './client-metadata.ts';

type Model = { find(id: string): Promise<Client | undefined> };
type Entry = { client: Client; untilMs: number };

export type RememberedClients = {
  /** Forgets all of them: for changes that this process has just made, so that it is the first to know. */
  forget(): void;
};

/**
 * Keeps the library's clients, parsed and checked, as long as nothing about their apps changes: every token request begins by asking
 * for one, and the library would ask the database each time and keep no more than 100. A change anywhere evicts; while the
 * feed of changes is not live, nothing is found here and nothing is kept. Bounded; the one that was kept first goes first.
 *
 * `lifetimeSeconds`: an upper bound, for what no feed tells. 0 keeps nothing.
 */
export function rememberClients(
  provider: Provider,
  feed: ChangeFeed,
  { lifetimeSeconds, maxEntries }: { lifetimeSeconds: number; maxEntries: number },
): RememberedClients {
  const model = provider.Client as unknown as Model;
  const find = model.find.bind(model);
  const entries = new Map<string, Entry>();
  let generation = 0;

  const forget = (): void => {
    generation += 1;
    entries.clear();
  };
  feed.onChange((tag) => {
    const [kind, id = ''] = tag.split(':', 2);
    if (kind === 'organization') forget(); // its name stands with each of its apps
    if (kind !== 'app') return;
    generation += 1;
    entries.delete(id);
  });
  feed.onGap(forget);

  model.find = async (id) => {
    const isKept = lifetimeSeconds > 0 && isId('app', id);
    if (!isKept || !feed.isLive()) return find(id);
    const known = entries.get(id);
    if (known && performance.now() < known.untilMs) return known.client;
    const begun = generation;
    const client = await find(id);
    if (!client || begun !== generation || !feed.isLive()) return client;
    if ((client as unknown as RegisteredClient).keys_elsewhere) return client; // they change with no feed to tell
    entries.delete(id);
    if (entries.size >= maxEntries) entries.delete(entries.keys().next().value as string);
    entries.set(id, { client, untilMs: performance.now() + lifetimeSeconds * 1000 });
    return client;
  };
  return { forget };
}
