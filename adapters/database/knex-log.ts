import type { Knex } from 'knex';
import type { Logger } from '../../src/kernel/log.ts';

/**
 * What Knex says of lost connections, through the logger: by itself it prints to standard output, unredacted and
 * where commands print their answers. Who ran the statement gets the error besides.
 */
export function knexLog(logger: Logger): Knex.Logger {
  const warn = (message: unknown): void => logger.warn(`Knex: ${String(message)}`);
  return { warn, error: warn, debug: (message: unknown) => logger.debug(`Knex: ${String(message)}`) };
}
