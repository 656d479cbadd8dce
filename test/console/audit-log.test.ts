import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AUDIT_EVENT_TYPES } from '../../config/audit-events.ts';
import { bootstrap } from '../../src/bootstrap.ts';
import { type Console, startConsole, textOf } from './support.ts';

describe('The audit log in the console', () => {
  let console_: Console;

  beforeAll(async () => {
    console_ = await startConsole();
    const { services, made } = console_;
    await services.createApiKey(
      {
        organizationId: made.organization.id,
        name: '=HYPERLINK("https://evil.example")',
        environment: 'live',
        scopes: [],
        createdBy: made.user.id,
      },
      { actor: { type: 'user', id: made.user.id }, ip: '203.0.113.7' },
    );
    // More than one page, in the order in which they happened.
    for (let i = 0; i < 130; i++) {
      await services.audit({
        type: 'prompt.created',
        organizationId: made.organization.id,
        actor: { type: 'user', id: '=1+1' },
        targetId: `prm_${i}`,
      });
    }
  });
  afterAll(() => console_?.close());

  const get = (page: string) => console_.owner.open(console_.path(page));
  /** Without what can be chosen above them. */
  const rowsOf = (html: string) => textOf(html).split('What Who When From')[1] ?? '';

  test('by type, with the names of who and what', async () => {
    const text = rowsOf((await get('/audit-log?type=api_key.created')).html);
    expect(text).toContain('API key created =HYPERLINK("https://evil.example") Demo');
    expect(text).not.toContain('Prompt created');
  });

  test('by actor and day; a filter that does not fit is told beside its field', async () => {
    const { id } = console_.made.user;
    expect(rowsOf((await get(`/audit-log?actorId=${id}`)).html)).not.toContain('Prompt created');
    const today = new Date().toISOString().slice(0, 10);
    expect(rowsOf((await get(`/audit-log?from=${today}&to=${today}`)).html)).toContain('Prompt created');
    expect(textOf((await get('/audit-log?to=2001-01-01')).html)).toContain('No event fits this filter.');
    const wrong = await get('/audit-log?type=nonsense&from=tomorrow');
    expect(wrong.status).toBe(422);
    expect(wrong.html).toMatch(/id="type-error"/);
    expect(wrong.html).toMatch(/id="from-error"/);
    expect(wrong.html).toContain('value="nonsense" selected');
  });

  test('by what it is about; a name is told to nobody who only knows an id', async () => {
    const { services, made } = console_;
    const [key] = await services.apiKeys.list(
      { organizationId: made.organization.id, environments: ['live'] },
      { limit: 1, after: undefined },
    );
    const { html } = await get(`/audit-log?targetId=${key?.id}`);
    expect(textOf(html)).toContain('About =HYPERLINK("https://evil.example") alone');
    expect(rowsOf(html)).toContain('API key created');
    expect(rowsOf(html)).not.toContain('Prompt created');
    const stranger = await bootstrap(services, { email: 'stranger@example.com', organization: 'Elsewhere' });
    const { id } = stranger.user;
    await services.database.sql()('users').where({ id }).update({ name: 'Secret Name' });
    for (const filter of [`actorId=${id}`, `targetId=${id}`])
      expect((await get(`/audit-log?${filter}`)).html).not.toContain('Secret Name');
  });

  test('every type of an organization can be chosen, and none of what is never in its log', async () => {
    const { html } = await get('/audit-log');
    const offered = [...html.matchAll(/<option value="([^"]+)"/g)].map(([, value]) => value);
    expect(offered).toContain('organization.updated');
    expect(offered).toEqual(AUDIT_EVENT_TYPES.filter((type) => !/^(user|signing_key)\./.test(type)));
  });

  test('as JSON: every event over all pages, as the API gives it', async () => {
    const file = await get('/audit-log/audit-log.json?type=prompt.created');
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="audit-log.json"');
    const events = JSON.parse(file.html) as { targetId: string }[];
    expect(events.map(({ targetId }) => targetId).sort()).toEqual(
      Array.from({ length: 130 }, (_, i) => `prm_${i}`).sort(),
    );
    expect(JSON.parse((await get('/audit-log/audit-log.json?to=2001-01-01')).html)).toEqual([]);
  });

  test('as CSV: what a spreadsheet would run as a formula is text', async () => {
    const { html: csv } = await get('/audit-log/audit-log.csv?type=prompt.created');
    const lines = csv.trimEnd().split('\r\n');
    expect(lines).toHaveLength(131);
    expect(lines[0]).toBe('createdAt,type,actorType,actorId,targetId,ip,data,id');
    expect(lines[1]).toContain(",user,'=1+1,");
  });

  test('a file with a filter that does not fit is not begun', async () => {
    const answer = await get('/audit-log/audit-log.csv?type=nonsense');
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-disposition')).toBeNull();
  });
});
