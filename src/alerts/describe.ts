import type { Alert, LeakedSecret } from './alert.ts';

/** An alert in words, for mail and console: what happened, and what to do. No word of it is the caller's, but names. Pure. */
export function describeAlert(alert: Alert): { title: string; text: string } {
  const named = alert.subjectName === undefined ? alert.subject : `"${alert.subjectName}" (${alert.subject})`;
  const which = `The credential ${named}`;
  switch (alert.kind) {
    case 'new_network':
      return {
        title: 'A credential was used from a new network',
        text: `${which} was used from ${alert.data.networks.join(', ')}, from where it never came before. If that isn't you, revoke it.`,
      };
    case 'burst':
      return {
        title: 'A credential is used far more than usual',
        text: `${which} made ${alert.data.requests} calls in the hour from ${alert.data.hour}; its usual hour has ${alert.data.usualRequests}.`,
      };
    case 'refusals':
      return {
        title: 'Most calls of a credential are refused',
        text: `${alert.data.refused} of ${alert.data.requests} calls of the credential ${named} were refused in the hour from ${alert.data.hour}: it lacks scopes, or meets its limits.`,
      };
    case 'slept':
      return {
        title: 'A credential was used after a long time',
        text: `${which} was used after ${alert.data.days} days without a call. If nobody of yours woke it, revoke it.`,
      };
    case 'outside_allowlist':
      return {
        title: 'A credential was tried from an address that it may not be used from',
        text: `${which} was presented from ${alert.data.ip}, which is not among the addresses that it may be used from, and refused. Whoever did it has the credential: if that isn't you, revoke it.`,
      };
    case 'expiring':
      return {
        title: `An API key expires ${alert.data.daysLeft === 1 ? 'within a day' : `within ${alert.data.daysLeft} days`}`,
        text: `The API key ${named} expires at ${alert.data.expiresAt}. Rotate it before that: the new key has the same settings.`,
      };
    case 'limit':
      return {
        title:
          alert.data.percent === 100
            ? 'The day’s quota is used up'
            : `${alert.data.percent} % of the day’s quota is used`,
        text: `${alert.data.used} of ${alert.data.limit} calls of ${alert.period.slice(0, 10)} (UTC) are used by ${METHODS[alert.data.method]} in the ${alert.environment} environment.`,
      };
    case 'leaked':
      return {
        title: `${SECRETS[alert.data.secret]} was found in public, and ${alert.data.action}`,
        text: leakText(alert.data, named),
      };
    case 'webhook_disabled':
      return {
        title: 'A webhook was disabled',
        text: `The webhook ${alert.subject}, which sends to ${alert.data.url}, was disabled, because ${
          WEBHOOK_REASONS[alert.data.reason] ?? alert.data.reason
        }. Nothing more is sent to it until its status is set to active; what was missed can be sent again from its deliveries.`,
      };
  }
}

const METHODS = {
  api_key: 'API keys',
  oauth_user: 'apps that act for people',
  client_credentials: 'apps that act for themselves',
};

const SECRETS: Record<LeakedSecret, string> = {
  api_key: 'An API key',
  client_secret: 'A client secret',
  refresh_token: 'A refresh token',
  webhook_secret: 'The secret of a webhook',
};

const WEBHOOK_REASONS: Record<string, string> = {
  gone: 'it answered 410 (Gone), by which a receiver says that it wants nothing more',
  failing: 'nothing could be delivered to it for five days',
  backlog: 'more events were waiting for it than it takes up',
};

/** What was done, and what is left to the owner. */
const LEAK_STEPS: Record<LeakedSecret, Record<'revoked' | 'rolled', string>> = {
  api_key: {
    revoked: 'It was revoked at once.',
    rolled:
      'It works for one more hour. A new key with the same settings was made: rotate that one to see it.',
  },
  client_secret: {
    revoked: 'It was deleted at once: give the app another.',
    rolled: 'It works for one more hour: give the app another within it.',
  },
  refresh_token: {
    revoked: 'It was revoked with every token of its consent: the person has to allow the app again.',
    rolled: 'It was revoked with every token of its consent: the person has to allow the app again.',
  },
  webhook_secret: {
    revoked: 'It signs no more. Rotate the secret to see the new one, and give it to the receiver.',
    rolled: 'It signs for one more hour. Rotate the secret to see the new one, and give it to the receiver.',
  },
};

const leakText = (
  data: { secret: LeakedSecret; action: 'revoked' | 'rolled'; foundAt: string | null },
  named: string,
): string =>
  `${SECRETS[data.secret]} of ${named} was reported as public${
    data.foundAt === null ? '' : `, at ${data.foundAt}`
  }. ${LEAK_STEPS[data.secret][data.action]} Look into the audit log for what was done with it.`;
