import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page, UserAgent } from '../support/user-agent.ts';
import { answering, startReceiver } from '../support/webhook-receiver.ts';
import { type Console, startConsole, textOf } from './support.ts';

describe('Webhooks in the console', () => {
  let console_: Console;
  let owner: UserAgent;

  beforeAll(async () => {
    console_ = await startConsole();
    owner = console_.owner;
  });
  afterAll(() => console_?.close());

  const add = async (fields: Record<string, string | string[]> = {}): Promise<Page> =>
    owner.submit(
      await owner.open(console_.path('/webhooks/new')),
      { url: 'http://127.0.0.1:9/hook', event: ['prompt.*'], description: 'Ours', ...fields },
      '/webhooks/new',
    );
  const pageOf = async (shown: Page): Promise<Page> =>
    owner.open(/href="([^"]+\/webhooks\/wh_[^"]+)"/.exec(shown.html)?.[1] ?? '');

  test('a webhook shows its secret once, in its environment alone', async () => {
    const shown = await add();
    expect(shown.headers.get('cache-control')).toBe('no-store');
    const secret = /whsec_[\w+/=]+/.exec(shown.html)?.[0] ?? '';
    expect(secret).not.toBe('');
    const page = await pageOf(shown);
    expect(page.html).not.toContain(secret);
    expect(textOf(page.html)).toContain('http://127.0.0.1:9/hook Active');
    expect(textOf((await owner.open(console_.path('/webhooks'))).html)).toContain('Ours');
    expect(textOf((await owner.open(console_.path('/webhooks', 'test'))).html)).toContain('No webhooks yet');
  });

  test('what is wrong stands beside its field, and nothing that was typed is lost', async () => {
    const page = await add({ url: 'http://example.com/', event: [], description: 'Typed' });
    expect(page.status).toBe(422);
    expect(page.html).toMatch(/id="events-error"/);
    expect(page.html).toContain('value="http://example.com/"');
    expect(page.html).toContain('value="Typed"');
    const internal = await add({ url: 'https://10.0.0.1/' });
    expect(internal.status).toBe(422);
    expect(internal.html).toMatch(/id="url-error"/);
  });

  test('a test is sent, can be looked at, and sent again', async () => {
    const page = await pageOf(await add({ description: 'To test' }));
    const sent = await owner.submit(page, {}, '/test');
    expect(textOf(sent.html)).toContain('webhook.test');
    const url = /href="([^"]+\/deliveries\/dlv_[^"]+)"/.exec(sent.html)?.[1] ?? '';
    const delivery = await owner.open(url);
    expect(textOf(delivery.html)).toContain('"type": "webhook.test"');
    const again = await owner.submit(delivery, {}, '/redeliver');
    expect(again.status).toBe(200);
    expect(again.url).not.toContain(url);
  });

  test('stored XSS: what a receiver answers is shown as text, whatever it is', async () => {
    const receiver = await startReceiver(
      answering(
        200,
        { 'content-type': 'text/html' },
        '<script>alert(1)</script>"><img src=x onerror=alert(2)>',
      ),
    );
    const worker = console_.services.startDeliveries();
    try {
      const page = await pageOf(await add({ url: receiver.url, description: 'Answers with a script' }));
      const sent = await owner.submit(page, {}, '/test');
      const url = /href="([^"]+\/deliveries\/dlv_[^"]+)"/.exec(sent.html)?.[1] ?? '';
      let delivery = await owner.open(url);
      while (!delivery.html.includes('alert(1)')) delivery = await owner.open(url);
      expect(delivery.html).not.toMatch(/<script>alert|<img src=x/);
      expect(delivery.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    } finally {
      await worker.stop();
      await receiver.close();
    }
  });

  test('it is changed, disabled, enabled, its secret rotated, and deleted', async () => {
    const page = await pageOf(await add({ description: 'To change' }));
    const edited = await owner.submit(
      await owner.open(`${page.url}/edit`),
      { url: 'http://127.0.0.1:9/other', event: ['*'], description: '' },
      '/edit',
    );
    expect(textOf(edited.html)).toMatch(/http:\/\/127\.0\.0\.1:9\/other Active.*Is told of \*/);
    const disabled = await owner.submit(edited, { status: 'disabled' }, '/status');
    expect(textOf(disabled.html)).toContain('Somebody in your organization disabled it.');
    const enabled = await owner.submit(disabled, { status: 'active' }, '/status');
    expect(textOf(enabled.html)).not.toContain('disabled it');
    expect((await owner.submit(enabled, {}, '/rotate')).html).toMatch(/whsec_/);
    await owner.submit(await owner.open(`${page.url}/delete`), {}, '/delete');
    expect((await owner.open(page.url)).status).toBe(404);
  });
});
