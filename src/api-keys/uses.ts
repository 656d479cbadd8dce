import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { ApiKeyStore } from './api-key.ts';

/** When each key was last used, and from where: gathered here, written together, never on a request's path. */
export type KeyUses = {
  note(keyId: string, ip: string): void;
  /** Writes what was gathered. What could not be written is tried again with the next. */
  flush(): Promise<void>;
};

/** A crash loses at most what was noted since the last flush: the owner of this decides how often. */
export function createKeyUses(deps: {
  apiKeys: Pick<ApiKeyStore, 'recordUses'>;
  clock: Clock;
  logger: Logger;
}): KeyUses {
  let gathered = new Map<string, { at: Date; ip: string }>();
  return {
    note: (keyId, ip) => {
      gathered.set(keyId, { at: deps.clock(), ip });
    },
    flush: async () => {
      if (gathered.size === 0) return;
      const batch = gathered;
      gathered = new Map();
      try {
        await deps.apiKeys.recordUses([...batch].map(([id, use]) => ({ id, ...use })));
      } catch (error) {
        deps.logger.warn({ err: error }, 'last uses of API keys could not be written yet');
        gathered = new Map([...batch, ...gathered]);
      }
    },
  };
}
