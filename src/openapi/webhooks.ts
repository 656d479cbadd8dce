import { WEBHOOK_EVENTS } from '../../config/webhook-events.ts';

type Json = Record<string, unknown>;

const header = (name: string, description: string, example: string): Json => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
  example,
});

const parameters = [
  header('webhook-id', "The event's id, the same in every attempt.", 'evt_01hzy3v7k0a4s9d8f7g6h5j4k3'),
  header('webhook-timestamp', 'When this attempt was made, in Unix seconds.', '1768473000'),
  header(
    'webhook-signature',
    'Standard Webhooks 1.0: `v1,` and base64 of HMAC-SHA-256; several, with spaces between, while a secret is rotated.',
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  ),
];

/** What webhooks are sent, as OpenAPI 3.1 has it: one request by type of event. */
export const openApiWebhooks = (): Json =>
  Object.fromEntries(
    Object.entries(WEBHOOK_EVENTS).map(([type, meaning]) => [
      type,
      {
        post: {
          summary: meaning,
          operationId: `webhook_${type.replace('.', '_')}`,
          tags: ['webhooks'],
          security: [],
          parameters,
          requestBody: { required: true, content: { 'application/json': { schema: eventOf(type) } } },
          responses: {
            '2XX': { description: 'Delivered.' },
            '410': { description: 'Nothing more is wanted: the webhook is disabled.' },
            default: { description: 'Sent again, until 24 hours have passed.' },
          },
        },
      },
    ]),
  );

const eventOf = (type: string): Json => ({
  type: 'object',
  required: ['id', 'type', 'apiVersion', 'createdAt', 'data'],
  properties: {
    id: { type: 'string', pattern: '^evt_[0-9a-z]{26}$' },
    type: { const: type },
    apiVersion: { type: 'string', format: 'date' },
    createdAt: { type: 'string', format: 'date-time' },
    data: {
      type: 'object',
      required: ['object', 'organizationId'],
      properties: {
        object: { type: 'string' },
        id: { type: 'string' },
        organizationId: { type: 'string' },
        environment: { enum: ['live', 'test'] },
      },
    },
  },
});
