import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import type { Database } from '../../adapters/database/database.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { type Answer, type Api, startApi } from './support.ts';

type Item = { id: string; [member: string]: unknown };

describeEachDatabase('/v1/prompts', (open) => {
  let database: Database;
  let api: Api;
  let organization: string;
  let owner: string;
  let live: Awaited<ReturnType<Api['newKey']>>;
  let call: ReturnType<Api['as']>;

  beforeAll(async () => {
    database = await open();
    api = await startApi(database);
    organization = await api.newOrganization();
    owner = await api.newMember(organization, 'owner');
    live = await api.newKey(organization, owner, 'live');
    call = api.as(live.key);
  });
  afterAll(async () => {
    await api.close();
    await database.close();
  });

  const create = async (fields: object = {}, by = call): Promise<Item> => {
    const { status, json } = await by('POST', '/v1/prompts', {
      name: 'Greeting',
      content: 'Hello',
      ...fields,
    });
    expect(status).toBe(201);
    return json as Item;
  };
  const events = (targetId: string) =>
    database.sql()('audit_events').where({ target_id: targetId }).orderBy('id').select('*') as Promise<
      Record<string, unknown>[]
    >;
  /** What the answer has beyond, or otherwise than, its schema in the route table. */
  const misfits = (method: string, path: string, { status, json }: Answer): unknown => {
    const route = api.routes().find((candidate) => candidate.method === method && candidate.path === path);
    if (!route || status !== route.status) return { status };
    return (route.answer as z.ZodObject).strict().safeParse(json).error?.issues;
  };

  test('creates, reads, changes and deletes', async () => {
    const prompt = await create({ metadata: { team: 'growth' } });
    expect(prompt).toEqual({
      object: 'prompt',
      id: expect.stringMatching(/^prm_[0-9a-z]{26}$/),
      name: 'Greeting',
      content: 'Hello',
      folderId: null,
      metadata: { team: 'growth' },
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: prompt['createdAt'],
    });
    const path = `/v1/prompts/${prompt.id}`;
    expect((await call('GET', path)).json).toEqual(prompt);

    const renamed = await call('PATCH', path, { name: 'Welcome', metadata: {} });
    expect(renamed.json).toMatchObject({ name: 'Welcome', content: 'Hello', metadata: {}, version: 1 });
    const removed = await call('DELETE', path);
    expect([removed.status, removed.json]).toEqual([204, undefined]);
    expect((await call('GET', path)).status).toBe(404);
    expect((await call('DELETE', path)).status).toBe(404);
  });

  test('answers have the shapes that the API document gives them', async () => {
    const { id } = await create();
    const calls: [method: string, path: string, query?: string, body?: object][] = [
      ['GET', '/v1/me'],
      ['GET', '/v1/prompts', '?limit=1'],
      ['POST', '/v1/prompts', '', { name: 'n', content: '' }],
      ['GET', '/v1/prompts/:id'],
      ['PATCH', '/v1/prompts/:id', '', {}],
      ['GET', '/v1/prompts/:id/versions'],
      ['POST', '/v1/prompts/:id/versions', '', { content: 'x' }],
    ];
    for (const [method, path, query = '', body] of calls) {
      const answer = await call(method, path.replace(':id', id) + query, body);
      expect([method, path, misfits(method, path, answer)]).toEqual([method, path, undefined]);
    }
  });

  test('keeps texts exactly', async () => {
    const name = '名前 \u202e 🙂 <script> \' " \\ %s ? ?? :x $1';
    const content = '\u0001\n\t\r\u2028 {{var}} \ufeff';
    const metadata = { constructor: 'a', toString: 'b', 'k.e-y': '' };
    const prompt = await create({ name, content, metadata });
    expect((await call('GET', `/v1/prompts/${prompt.id}`)).json).toMatchObject({ name, content, metadata });
  });

  describe('a change of content', () => {
    test('makes a new version; the same content, or another change, does not', async () => {
      const { id } = await create();
      const path = `/v1/prompts/${id}`;
      expect((await call('PATCH', path, { content: 'Hello' })).json['version']).toBe(1);
      expect((await call('PATCH', path, { name: 'x' })).json['version']).toBe(1);
      expect((await call('PATCH', path, { content: 'Hi' })).json['version']).toBe(2);
      const { json } = await call('GET', `${path}/versions`);
      expect(json['data']).toEqual([
        {
          object: 'version',
          id: expect.stringMatching(/^ver_/),
          promptId: id,
          number: 2,
          content: 'Hi',
          createdAt: expect.any(String),
        },
        expect.objectContaining({ number: 1, content: 'Hello' }),
      ]);
    });

    test('can be made as a version, which becomes the content of the prompt', async () => {
      const { id } = await create();
      const added = await call('POST', `/v1/prompts/${id}/versions`, { content: 'Hi' });
      expect([added.status, added.json['number']]).toEqual([201, 2]);
      expect((await call('GET', `/v1/prompts/${id}`)).json).toMatchObject({ content: 'Hi', version: 2 });
    });

    test('20 at once are 20 versions with 20 numbers', async () => {
      const { id } = await create();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          i % 2
            ? call('POST', `/v1/prompts/${id}/versions`, { content: `v${i}` })
            : call('PATCH', `/v1/prompts/${id}`, { content: `v${i}` }),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 201]));
      const { json } = await call('GET', `/v1/prompts/${id}/versions?limit=100`);
      const numbers = (json['data'] as { number: number }[]).map(({ number }) => number);
      expect(numbers).toEqual(Array.from({ length: 21 }, (_, i) => 21 - i));
      const prompt = (await call('GET', `/v1/prompts/${id}`)).json;
      expect(prompt['version']).toBe(21);
      expect((json['data'] as { content: string }[])[0]?.content).toBe(prompt['content']);
    });

    test('while the prompt is deleted is done or 404, never a failure', async () => {
      for (let round = 0; round < 5; round++) {
        const { id } = await create();
        const answers = await Promise.all([
          call('POST', `/v1/prompts/${id}/versions`, { content: 'a' }),
          call('PATCH', `/v1/prompts/${id}`, { content: 'b' }),
          call('DELETE', `/v1/prompts/${id}`),
          call('POST', `/v1/prompts/${id}/versions`, { content: 'c' }),
        ]);
        for (const { status } of answers) expect([200, 201, 204, 404]).toContain(status);
        expect((await call('GET', `/v1/prompts/${id}`)).status).toBe(404);
      }
    });
  });

  describe('validation', () => {
    const pairs = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));

    test.each<[string, object, string[]]>([
      ['nothing', {}, ['content', 'name']],
      ['an empty name', { name: '', content: '' }, ['name']],
      ['a name of 201', { name: 'x'.repeat(201), content: '' }, ['name']],
      ['texts of other types', { name: 1, content: null }, ['content', 'name']],
      ['a content of 100,001 bytes', { name: 'x', content: 'x'.repeat(100_001) }, ['content']],
      [
        'a content of fewer characters but more bytes',
        { name: 'x', content: 'é'.repeat(50_001) },
        ['content'],
      ],
      ['a folder', { name: 'x', content: '', folderId: 'fld_1' }, ['folderId']],
      ['21 pairs', { name: 'x', content: '', metadata: pairs(21) }, ['metadata']],
      [
        'a value that is no text',
        { name: 'x', content: '', metadata: { a: 1, b: {} } },
        ['metadata.a', 'metadata.b'],
      ],
      ['a value of 501', { name: 'x', content: '', metadata: { a: 'x'.repeat(501) } }, ['metadata.a']],
      ['a list for metadata', { name: 'x', content: '', metadata: [] }, ['metadata']],
      ['NUL', { name: 'a\0', content: '\0', metadata: { a: '\0' } }, ['content', 'metadata.a', 'name']],
      ['half a surrogate pair', { name: 'x', content: '', metadata: { a: '\ud800' } }, ['metadata.a']],
      [
        'members that would widen',
        {
          name: 'x',
          content: '',
          id: 'prm_1',
          organizationId: 'o',
          environment: 'test',
          version: 9,
          userId: 'u',
          scopes: [],
        },
        ['environment', 'id', 'organizationId', 'scopes', 'userId', 'version'],
      ],
    ])('%s: 422 with every path', async (_name, body, paths) => {
      const { status, json } = await call('POST', '/v1/prompts', body);
      expect(status).toBe(422);
      expect((json['errors'] as { path: string }[]).map(({ path }) => path).sort()).toEqual(paths);
    });

    test('takes what is just within', async () => {
      const most = { name: '🙂'.repeat(200), content: 'é'.repeat(50_000), metadata: pairs(20) };
      expect(await create({ ...most, folderId: null })).toMatchObject(most);
      const long = { ['k'.repeat(40)]: 'v'.repeat(500) };
      expect(await create({ metadata: long })).toMatchObject({ metadata: long });
    });

    test('of a change is the same', async () => {
      const { id } = await create();
      for (const body of [
        { name: '' },
        { folderId: 'fld_1' },
        { version: 3 },
        { content: null },
        { metadata: null },
        [],
      ]) {
        expect((await call('PATCH', `/v1/prompts/${id}`, body)).status).toBe(422);
      }
    });
  });

  describe('lists', () => {
    let pages: ReturnType<Api['as']>;
    const ids: string[] = [];

    beforeAll(async () => {
      const other = await api.newOrganization();
      pages = api.as((await api.newKey(other, await api.newMember(other, 'owner'), 'live')).key);
      for (let i = 0; i < 25; i++) ids.unshift((await create({ name: `p${i}` }, pages)).id);
    });

    const idsOf = ({ json }: Answer) => (json['data'] as Item[]).map(({ id }) => id);

    test('are newest first, 20 to a page', async () => {
      const first = await pages('GET', '/v1/prompts');
      expect(first.json).toMatchObject({ object: 'list', hasMore: true, nextCursor: expect.any(String) });
      expect(idsOf(first)).toEqual(ids.slice(0, 20));
      const second = await pages('GET', `/v1/prompts?cursor=${String(first.json['nextCursor'])}`);
      expect(second.json).toMatchObject({ hasMore: false, nextCursor: null });
      expect(idsOf(second)).toEqual(ids.slice(20));
    });

    test('give each item once, while others are added', async () => {
      const seen: string[] = [];
      let cursor = '';
      do {
        const page: Answer = await pages('GET', `/v1/prompts?limit=7${cursor && `&cursor=${cursor}`}`);
        seen.push(...idsOf(page));
        cursor = (page.json['nextCursor'] as string | null) ?? '';
        if (seen.length === 7) ids.unshift((await create({}, pages)).id);
      } while (cursor);
      expect(seen).toEqual(ids.slice(1));
    });

    test('end exactly at the limit without an empty page', async () => {
      const all = await pages('GET', `/v1/prompts?limit=${ids.length}`);
      expect(all.json).toMatchObject({ hasMore: false, nextCursor: null });
      expect(idsOf(all)).toHaveLength(ids.length);
    });

    test('of nothing are empty', async () => {
      const empty = await api.newOrganization();
      const key = await api.newKey(empty, await api.newMember(empty, 'owner'), 'live');
      expect((await api.as(key.key)('GET', '/v1/prompts')).json).toEqual({
        object: 'list',
        data: [],
        hasMore: false,
        nextCursor: null,
      });
    });

    test.each([
      'limit=0',
      'limit=101',
      'limit=-1',
      'limit=1.5',
      'limit=abc',
      'limit=',
      'limit=1e1',
      'limit=%201',
      'limit=1&limit=2',
      'offset=1',
    ])('?%s is 422', async (query) => {
      expect((await pages('GET', `/v1/prompts?${query}`)).status).toBe(422);
    });

    test('take no cursor but their own', async () => {
      const cursors = [
        '',
        'x',
        '!!',
        ids[0] as string,
        Buffer.from("prm_' OR 1=1").toString('base64url'),
        Buffer.from('ver_x').toString('base64url'),
        `${Buffer.from(ids[0] as string).toString('base64url')}=`,
      ];
      for (const cursor of cursors) {
        const { status, json } = await pages('GET', `/v1/prompts?cursor=${encodeURIComponent(cursor)}`);
        expect([status, (json['errors'] as { path: string }[])[0]?.path]).toEqual([422, 'cursor']);
      }
    });

    test('of versions go by number', async () => {
      const { id } = await create({}, pages);
      for (let i = 2; i <= 5; i++) await pages('POST', `/v1/prompts/${id}/versions`, { content: `${i}` });
      const numbers = ({ json }: Answer) =>
        (json['data'] as { number: number }[]).map(({ number }) => number);
      const first = await pages('GET', `/v1/prompts/${id}/versions?limit=3`);
      expect(numbers(first)).toEqual([5, 4, 3]);
      const rest = await pages(
        'GET',
        `/v1/prompts/${id}/versions?limit=3&cursor=${String(first.json['nextCursor'])}`,
      );
      expect(numbers(rest)).toEqual([2, 1]);
      expect(
        (await pages('GET', `/v1/prompts/${id}/versions?cursor=${Buffer.from('0').toString('base64url')}`))
          .status,
      ).toBe(422);
    });
  });

  describe('what a credential may not see is not there', () => {
    let mine: Item;
    const strangers: [string, ReturnType<Api['as']>][] = [];

    beforeAll(async () => {
      mine = await create({ name: 'mine' });
      const other = await api.newOrganization();
      const stranger = await api.newMember(other, 'owner');
      strangers.push(
        ["another organization's live key", api.as((await api.newKey(other, stranger, 'live')).key)],
        ["another organization's test key", api.as((await api.newKey(other, stranger, 'test')).key)],
        ["the organization's own test key", api.as((await api.newKey(organization, owner, 'test')).key)],
      );
    });

    test.each([0, 1, 2])('for stranger %i: 404 for every call, and missing from its lists', async (which) => {
      const [name, stranger] = strangers[which] as [string, ReturnType<Api['as']>];
      const path = `/v1/prompts/${mine.id}`;
      const calls: [string, string, object?][] = [
        ['GET', path],
        ['PATCH', path, { name: 'stolen' }],
        ['DELETE', path],
        ['GET', `${path}/versions`],
        ['POST', `${path}/versions`, { content: 'stolen' }],
      ];
      for (const [method, target, body] of calls) {
        const { status, json } = await stranger(method, target, body);
        const unknown = await stranger(method, target.replace(mine.id, `prm_${'0'.repeat(26)}`), body);
        expect([name, method, status, json['detail']]).toEqual([name, method, 404, unknown.json['detail']]);
      }
      const { json } = await stranger('GET', '/v1/prompts?limit=100');
      expect(JSON.stringify(json)).not.toContain(mine.id);
      const cursor = Buffer.from(mine.id).toString('base64url');
      expect(JSON.stringify((await stranger('GET', `/v1/prompts?cursor=${cursor}`)).json)).not.toContain(
        'mine',
      );
      expect((await call('GET', path)).json).toEqual(mine);
    });

    test('a test key has a world of its own', async () => {
      const [, sandbox] = strangers[2] as [string, ReturnType<Api['as']>];
      const { id } = await create({ name: 'sandbox' }, sandbox);
      expect((await sandbox('GET', `/v1/prompts/${id}`)).status).toBe(200);
      expect((await call('GET', `/v1/prompts/${id}`)).status).toBe(404);
    });

    test.each([
      'x',
      'prm_',
      "prm_'",
      `ver_${'0'.repeat(26)}`,
      `prm_${'0'.repeat(27)}`,
      `PRM_${'0'.repeat(26)}`,
    ])('%s names nothing', async (id) => {
      expect((await call('GET', `/v1/prompts/${encodeURIComponent(id)}`)).status).toBe(404);
    });
  });

  describe('scopes', () => {
    const withScopes = async (...scopes: Parameters<Api['newKey']>[3] & object) =>
      api.as((await api.newKey(organization, owner, 'live', scopes)).key);

    test('reading needs prompts:read, changing prompts:write, and neither holds the other', async () => {
      const { id } = await create();
      const reader = await withScopes('prompts:read');
      const writer = await withScopes('prompts:write');
      expect((await reader('GET', `/v1/prompts/${id}`)).status).toBe(200);
      expect((await writer('GET', `/v1/prompts/${id}`)).json).toMatchObject({
        code: 'insufficient_scope',
        requiredScopes: ['prompts:read'],
      });
      expect((await reader('DELETE', `/v1/prompts/${id}`)).json).toMatchObject({
        requiredScopes: ['prompts:write'],
      });
      expect((await writer('POST', `/v1/prompts/${id}/versions`, { content: '' })).status).toBe(201);
    });

    test("a key can do no more than its creator's role: a viewer's can't write", async () => {
      const viewer = await api.newMember(organization, 'viewer');
      const key = api.as((await api.newKey(organization, viewer, 'live')).key);
      expect((await key('GET', '/v1/prompts')).status).toBe(200);
      expect((await key('POST', '/v1/prompts', { name: 'x', content: '' })).status).toBe(403);
    });
  });

  describe('the audit log', () => {
    test('has each change, with who made it and from where, but not what the texts say', async () => {
      const { id } = await create({ name: 'canary-name', content: 'canary-content' });
      await call('PATCH', `/v1/prompts/${id}`, { name: 'canary-2' });
      await call('PATCH', `/v1/prompts/${id}`, { content: 'canary-3' });
      await call('POST', `/v1/prompts/${id}/versions`, { content: 'canary-4' });
      await call('PATCH', `/v1/prompts/${id}`, {});
      await call('DELETE', `/v1/prompts/${id}`);
      const rows = await events(id);
      expect(rows.map(({ type }) => String(type)).sort()).toEqual([
        'prompt.created',
        'prompt.deleted',
        'prompt.updated',
        'prompt.updated',
        'version.created',
        'version.created',
      ]);
      for (const row of rows) {
        expect(row).toMatchObject({
          organization_id: organization,
          actor_type: 'api_key',
          actor_id: live.id,
          ip: '127.0.0.1',
        });
      }
      expect(JSON.stringify(rows)).not.toContain('canary');
    });

    test('has nothing of what was refused', async () => {
      const before = await database.sql()('audit_events').count();
      await call('POST', '/v1/prompts', { name: '' });
      await call('DELETE', `/v1/prompts/prm_${'0'.repeat(26)}`);
      expect(await database.sql()('audit_events').count()).toEqual(before);
    });

    test('and the change stand or fall together', async () => {
      const { id } = await create();
      const broken = await startApi(database, {
        audit: () => Promise.reject(new Error('the audit log is full')),
      });
      const failing = broken.as(live.key);
      expect((await failing('PATCH', `/v1/prompts/${id}`, { content: 'lost' })).status).toBe(500);
      expect((await failing('POST', `/v1/prompts/${id}/versions`, { content: 'lost' })).status).toBe(500);
      expect((await failing('DELETE', `/v1/prompts/${id}`)).status).toBe(500);
      expect((await failing('POST', '/v1/prompts', { name: 'lost', content: '' })).status).toBe(500);
      await broken.close();
      expect((await call('GET', `/v1/prompts/${id}`)).json).toMatchObject({ content: 'Hello', version: 1 });
      expect(JSON.stringify((await call('GET', '/v1/prompts?limit=100')).json)).not.toContain('lost');
    });
  });
});
