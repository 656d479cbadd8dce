import { expect, test } from '@jest/globals';
import type { Logger } from '../../src/kernel/log.ts';
import { type SafeFetch, SafeFetchError, type SafeFetchOptions } from '../../src/kernel/safe-fetch.ts';
import type { Claimed } from '../../src/webhooks/delivery.ts';
import { createSend } from '../../src/webhooks/send.ts';
import { issueWebhookSecret } from '../../src/webhooks/signing.ts';

const claimed: Claimed = {
  id: 'dlv_1',
  webhook: { id: 'wh_1', organizationId: 'org_1', environment: 'live', url: 'https://example.com/hook' },
  lane: 'prompt',
  event: { id: 'evt_1', body: '{"id":"evt_1"}' },
  attemptCount: 0,
  ageSeconds: 0,
  waitedSeconds: 0,
  failingForSeconds: 0,
  openSecrets: () => [issueWebhookSecret()],
};

async function send(safeFetch: SafeFetch, delivery = claimed) {
  const logged: { entry: object; message: string }[] = [];
  const logger = {
    error: (entry: object, message: string) => logged.push({ entry, message }),
  } as unknown as Logger;
  const sent = await createSend({ safeFetch, clock: () => new Date(1_768_473_000_000), logger })(
    delivery,
    new AbortController().signal,
  );
  return { ...sent, logged };
}

test('asks for an answer within 30 s, of which 1,000 bytes are kept, and keeps no signature', async () => {
  let asked: SafeFetchOptions | undefined;
  const { attempt, answer } = await send(async (_url, options) => {
    asked = options;
    return { status: 503, headers: { 'retry-after': '7' }, body: Buffer.from('later\0') };
  });
  expect(asked).toMatchObject({
    method: 'POST',
    body: '{"id":"evt_1"}',
    timeoutMs: 30_000,
    maxBytes: 1_000,
    longBody: 'cut',
    headers: {
      'webhook-id': 'evt_1',
      'webhook-timestamp': '1768473000',
      'webhook-signature': expect.stringMatching(/^v1,/),
    },
  });
  expect(answer).toMatchObject({ status: 503, retryAfter: '7' });
  expect(attempt).toMatchObject({ status: 503, body: 'later\uFFFD', error: null });
  expect(attempt.headers).not.toHaveProperty('webhook-signature');
});

test('what can’t be reached is an answer, and no fault of ours', async () => {
  const { attempt, logged } = await send(() =>
    Promise.reject(new SafeFetchError('timeout', 'No whole answer.')),
  );
  expect(attempt).toMatchObject({ status: null, body: null, error: 'No whole answer.' });
  expect(logged).toEqual([]);
});

test('a secret that can’t be opened is an answer too, sends nothing, and the operator hears of it', async () => {
  let asked = 0;
  const openSecrets = () => {
    throw new Error('sealed with another key');
  };
  const { attempt, logged } = await send(
    async () => {
      asked++;
      return { status: 204, headers: {}, body: Buffer.alloc(0) };
    },
    { ...claimed, openSecrets },
  );
  expect(asked).toBe(0);
  expect(attempt).toMatchObject({ status: null, error: 'The event could not be signed.' });
  expect(logged).toMatchObject([{ entry: { webhookId: 'wh_1' }, message: 'an event could not be signed' }]);
});
