import type { EventRow } from '../../views/console-pages.ts';
import type { AuditEventObject } from '../audit/routes.ts';
import type { NamesOf } from './names.ts';

const ACTORS = {
  user: 'Somebody',
  app: 'An app',
  api_key: 'An API key',
  operator: 'The operator',
  system: 'The system',
};

/** "api_key.secret_created" → "API key: secret created". Any type: the log holds those that we no longer write, too. Pure. */
function inWords(type: string): string {
  const [of = '', what = ''] = type.split('.').map((part) => part.replaceAll('_', ' '));
  const subject = of === 'api key' ? 'API key' : of.charAt(0).toUpperCase() + of.slice(1);
  return what === '' ? subject : `${subject} ${what}`;
}

/** Events as rows, with the names of who and what they are about, found in one statement. */
export async function eventRows(events: readonly AuditEventObject[], namesOf: NamesOf): Promise<EventRow[]> {
  const names = await namesOf(events.flatMap(({ actor, targetId }) => [actor.id, targetId]));
  return events.map((event) => ({
    id: event.id,
    type: event.type,
    what: inWords(event.type),
    actor: names(event.actor.id) ?? ACTORS[event.actor.type],
    actorId: event.actor.id ?? undefined,
    target: names(event.targetId) ?? toldName(event.data),
    ip: event.ip ?? undefined,
    at: event.createdAt,
  }));
}

/** What is gone by now is called what it was called then. */
function toldName(data: Record<string, unknown>): string | undefined {
  const name = data['name'] ?? data['email'];
  return typeof name === 'string' ? name : undefined;
}
