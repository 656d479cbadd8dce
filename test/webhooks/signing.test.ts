import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { Secret } from '../../src/kernel/secret.ts';
import { issueWebhookSecret, isWebhookSecret, signatureHeaders } from '../../src/webhooks/signing.ts';

const body = JSON.stringify({ id: 'evt_1', type: 'prompt.created', data: { name: 'naïve ✓' } });
const timestamp = Math.floor(Date.now() / 1000);
const sign = (...secrets: Secret[]) => signatureHeaders(secrets, { id: 'evt_1', timestamp, body });
const verify = (secret: Secret, headers: Record<string, string>, text = body) =>
  new Webhook(secret.reveal()).verify(text, headers);

test('Standard Webhooks: the reference example comes out as the reference has it', () => {
  const secret = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const headers = signatureHeaders([secret], {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1614265330,
    body: '{"test": 2432232314}',
  });
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('Standard Webhooks: each of several secrets verifies its own signature, and a stranger none', () => {
  const [first, second, stranger] = [issueWebhookSecret(), issueWebhookSecret(), issueWebhookSecret()];
  const headers = sign(first, second);
  expect(headers['webhook-signature'].split(' ')).toHaveLength(2);
  expect(verify(first, headers)).toEqual(JSON.parse(body));
  expect(verify(second, headers)).toEqual(JSON.parse(body));
  expect(() => verify(stranger, headers)).toThrow('No matching signature found');
  expect(() => verify(first, headers, body.replace('prompt', 'report'))).toThrow(
    'No matching signature found',
  );
  expect(() => verify(first, { ...headers, 'webhook-id': 'evt_2' })).toThrow('No matching signature found');
  expect(() => verify(first, { ...headers, 'webhook-timestamp': String(timestamp + 1) })).toThrow(
    'No matching signature found',
  );
});

test('a secret is base64 of 24 to 64 bytes after whsec_, and carries a checksum', () => {
  for (let i = 0; i < 100; i++) {
    const value = issueWebhookSecret().reveal();
    expect(value).toMatch(/^whsec_[0-9A-Za-z]{36}$/);
    const key = Buffer.from(value.slice(6), 'base64');
    expect(key).toHaveLength(27);
    expect(key.toString('base64')).toBe(value.slice(6));
    expect(isWebhookSecret(value)).toBe(true);
    const wrong = value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');
    expect(isWebhookSecret(wrong)).toBe(false);
  }
});
