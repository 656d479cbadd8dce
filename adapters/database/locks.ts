/**
 * Locks that are no rows, held until the transaction ends. PostgreSQL lets in who shares a row (a foreign key does) before who
 * waits to delete it, so a load that never rests would keep the other out for ever. These have a queue: who comes after one that
 * waits to be alone waits behind it.
 *
 * Who is to be alone asks for it first in its transaction, so that nobody whom it waits for waits for it.
 */
type Queue =
  /** By the app: shared by who gives it something, alone for who deletes it. */
  | 'app'
  /** By the organization: shared by who tells its webhooks something, alone for who deletes one. */
  | 'webhooks'
  /** By the person: shared by who writes a session of theirs, alone for who ends one. */
  | 'sessions';

const keyOf = (queue: Queue, id: string): string => `hashtextextended('${queue} ' || ${id}, 0)`;

/** SQL that waits for the lock and shares it. `id`: an SQL expression. */
export const sharing = (queue: Queue, id: string): string =>
  `pg_advisory_xact_lock_shared(${keyOf(queue, id)})`;

/** SQL that waits until nobody shares it. `id`: an SQL expression. */
export const alone = (queue: Queue, id: string): string => `pg_advisory_xact_lock(${keyOf(queue, id)})`;
