import { AUDIT_EVENT_TYPES } from '../../config/audit-events.ts';
import type { EventRow } from '../../views/console/audit-log.ts';
import type { ChoiceGroup } from '../../views/console/forms.ts';
import type { AuditEventObject } from '../audit/routes.ts';
import type { NamesOf } from './names.ts';

const ACTORS = {
  user: 'Somebody',
  app: 'An app',
  api_key: 'An API key',
  operator: 'The operator',
  system: 'The system',
};

/** "api_key.secret_created" → "API key", "secret created". Any type: the log holds those that we no longer write, too. */
function wordsOf(type: string): { subject: string; what: string } {
  const [of = '', what = ''] = type.split('.').map((part) => part.replaceAll('_', ' '));
  return { subject: of === 'api key' ? 'API key' : of.charAt(0).toUpperCase() + of.slice(1), what };
}

function inWords(type: string): string {
  const { subject, what } = wordsOf(type);
  return what === '' ? subject : `${subject} ${what}`;
}

/** What happens to people and to our own keys is of no organization, and never in its log. */
const OF_ORGANIZATIONS = AUDIT_EVENT_TYPES.filter((type) => !/^(user|signing_key)\./.test(type));

/** The types to choose from, by what they are of; with `chosen` among them, even if we no longer write it. Pure. */
export function eventTypeGroups(chosen: string): ChoiceGroup[] {
  const known = OF_ORGANIZATIONS.map((type) => ({ value: type, ...wordsOf(type) }));
  const all =
    chosen === '' || known.some(({ value }) => value === chosen)
      ? known
      : [...known, { value: chosen, subject: 'Other', what: chosen }];
  return [...Map.groupBy(all, ({ subject }) => subject)].map(([label, types]) => ({
    label,
    choices: types.map(({ value, what }) => ({
      value,
      label: label === 'Other' ? what : `${label} ${what}`,
    })),
  }));
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
