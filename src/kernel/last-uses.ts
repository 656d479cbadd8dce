import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** When each credential was last used: gathered here, written together, never on a request's path. */
export type LastUses<Details extends object> = {
  note(id: string, details: Details): void;
  /** Writes what was gathered. What could not be written is tried again with the next. */
  flush(): Promise<void>;
};

/** A crash loses at most what was noted since the last flush: the owner of this decides how often. */
export function createLastUses<Details extends object>(deps: {
  /** As the log calls them: "API keys". */
  of: string;
  record(uses: readonly ({ id: string; at: Date } & Details)[]): Promise<void>;
  clock: Clock;
  logger: Logger;
}): LastUses<Details> {
  let gathered = new Map<string, { id: string; at: Date } & Details>();
  return {
    note: (id, details) => {
      gathered.set(id, { id, at: deps.clock(), ...details });
    },
    flush: async () => {
      if (gathered.size === 0) return;
      const batch = gathered;
      gathered = new Map();
      try {
        await deps.record([...batch.values()]);
      } catch (error) {
        deps.logger.warn({ err: error }, `last uses of ${deps.of} could not be written yet`);
        gathered = new Map([...batch, ...gathered]);
      }
    },
  };
}
