import type { DisabledReason, Webhook } from './webhook.ts';

const REASONS: Record<DisabledReason, string> = {
  owner: 'somebody of your organization disabled it',
  gone: 'it answered 410 (Gone), by which a receiver says that it wants nothing more',
  failing: 'nothing could be delivered to it for five days',
  backlog: 'more events were waiting for it than it takes up',
};

export const disabledMail = ({ id, url }: Pick<Webhook, 'id' | 'url'>, reason: DisabledReason) => ({
  subject: 'A webhook was disabled',
  text: `Hello,

the webhook ${id}, which sends to

${url}

was disabled, because ${REASONS[reason]}. Nothing more is sent to it until you set its status to active. What was missed can be
sent again from its deliveries.
`,
});
