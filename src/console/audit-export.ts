import { stringify } from 'csv-stringify/sync';
import type { AuditEventObject } from '../audit/routes.ts';

type Page = { data: AuditEventObject[]; nextCursor: string | null };

/** A file is for people to look at: more than this is read over the API, page by page. */
const MOST_EVENTS = 10_000;

/** Page after page as the reader takes them, so that a long log is never in memory whole. At most 10,000 events. */
export async function* eachEvent(
  first: Page,
  read: (cursor: string) => Promise<Page>,
): AsyncGenerator<AuditEventObject[]> {
  let page = first;
  for (let count = page.data.length; ; count += page.data.length) {
    yield page.data;
    if (page.nextCursor === null || count >= MOST_EVENTS) return;
    page = await read(page.nextCursor);
  }
}

const COLUMNS = ['createdAt', 'type', 'actorType', 'actorId', 'targetId', 'ip', 'data', 'id'] as const;

/** RFC 4180. What a spreadsheet would run as a formula (=, +, -, @) is marked as text: names are whatever people typed. */
export async function* csvOf(pages: AsyncIterable<AuditEventObject[]>): AsyncGenerator<string> {
  yield stringify([[...COLUMNS]], { record_delimiter: 'windows' });
  for await (const events of pages) {
    const rows = events.map((event) => [
      event.createdAt,
      event.type,
      event.actor.type,
      event.actor.id,
      event.targetId,
      event.ip,
      JSON.stringify(event.data),
      event.id,
    ]);
    yield stringify(rows, { record_delimiter: 'windows', escape_formulas: true });
  }
}

/** One array of the objects that the API gives. */
export async function* jsonOf(pages: AsyncIterable<AuditEventObject[]>): AsyncGenerator<string> {
  let before = '[\n';
  for await (const events of pages) {
    for (const event of events) {
      yield before + JSON.stringify(event);
      before = ',\n';
    }
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
