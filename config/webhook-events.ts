/** Everything that a webhook can be told, and what it means. A closed list: the API, the console and the documents read it. */
export const WEBHOOK_EVENTS = {
  'prompt.created': 'A prompt was created.',
  'prompt.updated': 'A prompt was changed; `fields` names what.',
  'prompt.deleted': 'A prompt was deleted.',
  'version.created': 'A prompt has a new version; `number` says which.',
  'report.created': 'A report was created.',
  'report.updated': 'A report was changed; `fields` names what.',
  'report.completed': 'A report was completed.',
  'report.failed': 'A report has failed.',
  'report.deleted': 'A report was deleted.',
  'evaluation.created': 'An evaluation was created.',
  'evaluation.updated': 'An evaluation was changed; `fields` names what.',
  'evaluation.completed': 'An evaluation was completed.',
  'evaluation.failed': 'An evaluation has failed.',
  'evaluation.deleted': 'An evaluation was deleted.',
  'api_key.created': 'An API key was made.',
  'api_key.rotated': 'An API key was made to replace another, `rotatedFrom`.',
  'api_key.revoked': 'An API key was revoked.',
  'api_key.expiring': 'An API key has 30, 7 or 1 days left.',
  'api_key.unusual_activity': 'A credential was used in a way that it was not before; `rule` says which.',
  'api_key.leaked': 'A secret was reported to be public; `action` says what was done about it.',
  'app.created': 'An OAuth client was registered.',
  'app.updated': 'An OAuth client was changed; `fields` names what.',
  'app.deleted': 'An OAuth client was deleted.',
  'app.secret_created': 'An OAuth client has a new secret.',
  'app.secret_deleted': 'A secret of an OAuth client was deleted.',
  'member.invited': 'Somebody was invited to the organization.',
  'member.invitation_withdrawn': 'An invitation was withdrawn.',
  'member.joined': 'Somebody joined the organization.',
  'member.role_changed': "A member's role was changed.",
  'member.removed': 'A member was removed, or left.',
  'limit.warning': '80 % or 100 % of a daily quota is used.',
} as const satisfies Record<`${string}.${string}`, string>;

export type WebhookEventType = keyof typeof WEBHOOK_EVENTS;

const ALL_WEBHOOK_EVENTS = Object.keys(WEBHOOK_EVENTS) as WebhookEventType[];

export const isWebhookEvent = (type: string): type is WebhookEventType => Object.hasOwn(WEBHOOK_EVENTS, type);

const familyOf = (type: string): string => `${type.split('.')[0]}.*`;

/** What a webhook may subscribe to: an event, a family such as `prompt.*`, or `*` for all, those to come included. */
export const EVENT_PATTERNS = ['*', ...new Set(ALL_WEBHOOK_EVENTS.map(familyOf)), ...ALL_WEBHOOK_EVENTS];

/** Those of them that take in the event. */
export const patternsOf = (type: WebhookEventType): string[] => ['*', familyOf(type), type];
