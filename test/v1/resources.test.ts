import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import type { Database } from '../../adapters/database/database.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { SAMPLES, WITH_STATUS } from './resource-samples.ts';
import { type Answer, type Api, startApi, statusesOf } from './support.ts';

type Item = { id: string; [member: string]: unknown };
type Call = ReturnType<Api['as']>;

describeEachDatabase('every resource', (open) => {
  let database: Database;
  let api: Api;
  let organization: string;
  let owner: string;
  let liveId: string;
  let live: Call;
  let sandbox: Call;
  let stranger: Call;

  beforeAll(async () => {
    database = await open();
    api = await startApi(database);
    organization = await api.newOrganization();
    owner = await api.newMember(organization, 'owner');
    const key = await api.newKey(organization, owner, 'live');
    liveId = key.id;
    live = api.as(key.key);
    sandbox = api.as((await api.newKey(organization, owner, 'test')).key);
    stranger = await newStranger();
  });
  afterAll(async () => {
    await api.close();
    await database.close();
  });

  const newStranger = async (): Promise<Call> => {
    const other = await api.newOrganization();
    return api.as((await api.newKey(other, await api.newMember(other, 'owner'), 'live')).key);
  };
  const create = async (path: string, fields: object, by = live): Promise<Item> => {
    const { status, json } = await by('POST', path, fields);
    expect([path, status, json]).toEqual([path, 201, expect.anything()]);
    return json as Item;
  };
  const idsOf = ({ json }: Answer) => (json['data'] as Item[]).map(({ id }) => id);
  const pathsOf = ({ status, json }: Answer) => {
    expect(status).toBe(422);
    return (json['errors'] as { path: string }[]).map(({ path }) => path).sort();
  };
  const eventsOf = async (id: string) =>
    (await database
      .sql()('audit_events')
      .where({ target_id: id })
      .orderBy('created_at')
      .select('*')) as Record<string, unknown>[];
  const misfits = (method: string, path: string, { status, json }: Answer): unknown => {
    const route = api.routes().find((candidate) => candidate.method === method && candidate.path === path);
    if (!route || status !== route.status) return { status };
    return (route.answer as z.ZodObject).strict().safeParse(json).error?.issues;
  };

  test('has a sample here', () => {
    const made = api.routes().filter(({ method, path }) => method === 'POST' && !path.includes(':'));
    expect(made.map(({ path }) => path).sort()).toEqual(SAMPLES.map(({ path }) => path).sort());
  });

  describe.each(SAMPLES)(
    '$path',
    ({ name, path, idPrefix, scopes, least, defaults, more, change, faults }) => {
      test('is made from the least, read, listed, changed and deleted', async () => {
        const item = await create(path, least);
        expect(item).toEqual({
          object: name,
          id: expect.stringMatching(new RegExp(`^${idPrefix}_[0-9a-z]{26}$`)),
          ...least,
          ...defaults,
          createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          updatedAt: item['createdAt'],
        });
        const itemPath = `${path}/${item.id}`;
        expect((await live('GET', itemPath)).json).toEqual(item);
        const { items: _items, ...listed } = item; // a dataset's are left out of lists
        expect(((await live('GET', `${path}?limit=1`)).json['data'] as Item[])[0]).toEqual(listed);

        const changed = await live('PATCH', itemPath, change);
        expect(changed.json).toEqual({ ...item, ...change, updatedAt: expect.any(String) });
        expect((await live('PATCH', itemPath, {})).json).toEqual(changed.json);
        expect((await live('GET', itemPath)).json).toEqual(changed.json);

        const removed = await live('DELETE', itemPath);
        expect([removed.status, removed.json]).toEqual([204, undefined]);
        for (const method of ['GET', 'DELETE', 'PATCH'])
          expect((await live(method, itemPath, method === 'PATCH' ? {} : undefined)).status).toBe(404);
      });

      test('keeps every member as it was sent', async () => {
        const { id } = await create(path, { ...least, ...more, name: '🙂'.repeat(200) });
        const { json } = await live('GET', `${path}/${id}`);
        expect(json).toMatchObject({ ...least, ...more, name: '🙂'.repeat(200) });
      });

      test('answers have the shapes that the API document gives them', async () => {
        const { id } = await create(path, { ...least, ...more });
        const calls: [method: string, path: string, query?: string, body?: object][] = [
          ['GET', path, '?limit=1'],
          ['POST', path, '', least],
          ['GET', `${path}/:id`],
          ['PATCH', `${path}/:id`, '', change],
        ];
        for (const [method, target, query = '', body] of calls) {
          const answer = await live(method, target.replace(':id', id) + query, body);
          expect([method, misfits(method, target, answer)]).toEqual([method, undefined]);
        }
      });

      test('needs its own scopes, and reading and writing hold neither the other', async () => {
        const { id } = await create(path, least);
        const reader = api.as((await api.newKey(organization, owner, 'live', [scopes.read])).key);
        const writer = api.as((await api.newKey(organization, owner, 'live', [scopes.write])).key);
        const unrelated = api.as((await api.newKey(organization, owner, 'live', ['webhooks:read'])).key);
        const calls: [string, string, object | undefined, string, Call, Call][] = [
          ['GET', path, undefined, scopes.read, reader, writer],
          ['GET', `${path}/${id}`, undefined, scopes.read, reader, writer],
          ['POST', path, least, scopes.write, writer, reader],
          ['PATCH', `${path}/${id}`, change, scopes.write, writer, reader],
          ['DELETE', `${path}/${id}`, undefined, scopes.write, writer, reader],
        ];
        for (const [method, target, body, scope, may, mayNot] of calls) {
          for (const refused of [mayNot, unrelated]) {
            const { status, json } = await refused(method, target, body);
            expect([method, status, json['code'], json['requiredScopes']]).toEqual([
              method,
              403,
              'insufficient_scope',
              [scope],
            ]);
          }
          expect([method, Math.floor((await may(method, target, body)).status / 100)]).toEqual([method, 2]);
        }
      });

      test('is not there for other organizations, nor for the other environment', async () => {
        const mine = await create(path, { ...least, name: 'canary' });
        for (const other of [stranger, sandbox]) {
          for (const [method, body] of [
            ['GET', undefined],
            ['PATCH', change],
            ['DELETE', undefined],
          ] as const) {
            const { status, json } = await other(method, `${path}/${mine.id}`, body);
            const unknown = await other(method, `${path}/${idPrefix}_${'0'.repeat(26)}`, body);
            expect([method, status, json['detail']]).toEqual([method, 404, unknown.json['detail']]);
          }
          const cursor = Buffer.from(`${idPrefix}_${'z'.repeat(26)}`).toString('base64url');
          for (const query of ['limit=100', `cursor=${cursor}`])
            expect(JSON.stringify((await other('GET', `${path}?${query}`)).json)).not.toContain('canary');
        }
        expect((await live('GET', `${path}/${mine.id}`)).json).toEqual(mine);

        const theirs = await create(path, least, sandbox);
        expect((await sandbox('GET', `${path}/${theirs.id}`)).status).toBe(200);
        expect((await live('GET', `${path}/${theirs.id}`)).status).toBe(404);
      });

      test('a list gives each item once, newest first, while twenty more are made', async () => {
        const pages = await newStranger();
        const ids: string[] = [];
        for (let index = 0; index < 11; index++) ids.unshift((await create(path, least, pages)).id);
        let cursor: string | null = null;
        let added: Promise<Item[]> | undefined;
        const seen: string[] = [];
        do {
          const page: Answer = await pages('GET', `${path}?limit=3${cursor ? `&cursor=${cursor}` : ''}`);
          added ??= Promise.all(Array.from({ length: 20 }, () => create(path, least, pages)));
          seen.push(...idsOf(page));
          cursor = page.json['nextCursor'] as string | null;
        } while (cursor);
        expect(seen).toEqual(ids);

        const newer = (await (added ?? [])).map(({ id }) => id);
        const all = await pages('GET', `${path}?limit=100`);
        expect(all.json).toMatchObject({ object: 'list', hasMore: false, nextCursor: null });
        expect(idsOf(all)).toEqual([...newer, ...ids].sort().reverse());
        expect((await pages('GET', `${path}?limit=31`)).json['hasMore']).toBe(false);
      });

      test.each(['limit=0', 'limit=101', 'offset=1', 'cursor=x', `cursor=${btoa('ver_x')}`])(
        '?%s is 422',
        async (query) => {
          expect(pathsOf(await live('GET', `${path}?${query}`))).toEqual([query.split('=')[0]]);
        },
      );

      test.each([
        ['nothing', {}, Object.keys(least)],
        ['an empty name', { ...least, name: '' }, ['name']],
        ['a name of 201', { ...least, name: 'x'.repeat(201) }, ['name']],
        ['a name that is no text', { ...least, name: null }, ['name']],
        ['NUL', { ...least, name: 'a\0' }, ['name']],
        ['half a surrogate pair', { ...least, name: '\ud800' }, ['name']],
        [
          'members that would widen',
          {
            ...least,
            id: `${idPrefix}_1`,
            object: name,
            organizationId: 'org_1',
            organization_id: 'org_1',
            environment: 'test',
            createdAt: '2020-01-01T00:00:00.000Z',
            completedAt: null,
            scopes: [],
          },
          [
            'completedAt',
            'createdAt',
            'environment',
            'id',
            'object',
            'organizationId',
            'organization_id',
            'scopes',
          ],
        ],
        ...faults,
      ])('%s: 422 with every path', async (_name, body, paths) => {
        expect(pathsOf(await live('POST', path, body))).toEqual([...paths].sort());
      });

      test('a change is held to the same', async () => {
        const item = await create(path, least);
        const itemPath = `${path}/${item.id}`;
        for (const member of ['id', 'object', 'organizationId', 'environment', 'createdAt', 'updatedAt'])
          expect(pathsOf(await live('PATCH', itemPath, { [member]: 'x' }))).toEqual([member]);
        expect(pathsOf(await live('PATCH', itemPath, { name: '' }))).toEqual(['name']);
        expect(pathsOf(await live('PATCH', itemPath, { name: '\0' }))).toEqual(['name']);
        expect((await live('PATCH', itemPath, [])).status).toBe(422);
        expect((await live('GET', itemPath)).json).toEqual(item);
      });

      test('the audit log has each change, by whom and from where, but not what it says', async () => {
        const { id } = await create(path, { ...least, name: 'canary' });
        await live('PATCH', `${path}/${id}`, { name: 'canary-2' });
        await live('PATCH', `${path}/${id}`, {});
        await live('PATCH', `${path}/${id}`, { name: '' });
        await live('DELETE', `${path}/${id}`);
        const events = await eventsOf(id);
        expect(events.map(({ type }) => type)).toEqual([
          `${name}.created`,
          `${name}.updated`,
          `${name}.deleted`,
        ]);
        for (const event of events) {
          expect(event).toMatchObject({
            organization_id: organization,
            actor_type: 'api_key',
            actor_id: liveId,
            ip: '127.0.0.1',
            data: expect.objectContaining({ environment: 'live' }),
          });
        }
        expect(events[1]).toMatchObject({ data: { fields: ['name'] } });
        expect(JSON.stringify(events)).not.toContain('canary');
      });

      test('the audit log and the change stand or fall together', async () => {
        const item = await create(path, least);
        const broken = await startApi(database, { audit: () => Promise.reject(new Error('full')) });
        const failing = broken.as((await broken.newKey(organization, owner, 'live')).key);
        expect((await failing('PATCH', `${path}/${item.id}`, { name: 'lost' })).status).toBe(500);
        expect((await failing('DELETE', `${path}/${item.id}`)).status).toBe(500);
        expect((await failing('POST', path, { ...least, name: 'lost' })).status).toBe(500);
        await broken.close();
        expect((await live('GET', `${path}/${item.id}`)).json).toEqual(item);
        expect(JSON.stringify((await live('GET', `${path}?limit=100`)).json)).not.toContain('lost');
      });
    },
  );

  describe.each(WITH_STATUS)('the status of a $name', ({ path, least }) => {
    const result = { score: 0.25, ключ: [1, { z: 1, a: 2 }] };

    test('is moved on by a worker, with what came out', async () => {
      const { id } = await create(path, least);
      const itemPath = `${path}/${id}`;
      const running = await live('PATCH', itemPath, { status: 'running' });
      expect(running.json).toMatchObject({ status: 'running', result: null, completedAt: null });
      const done = await live('PATCH', itemPath, { status: 'completed', result, name: 'Done' });
      expect(done.json).toMatchObject({ status: 'completed', result, error: null, name: 'Done' });
      expect(done.json['completedAt']).toBe(done.json['updatedAt']);
      const read = await live('GET', itemPath);
      expect(read.json).toEqual(done.json);
      expect(JSON.stringify(read.json['result'])).toBe(JSON.stringify(result)); // in the order it was sent
    });

    test('can fail before and while running, with what went wrong', async () => {
      for (const steps of [[], ['running']]) {
        const { id } = await create(path, least);
        for (const status of steps) await live('PATCH', `${path}/${id}`, { status });
        const failed = await live('PATCH', `${path}/${id}`, { status: 'failed', error: 'No model' });
        expect(failed.json).toMatchObject({ status: 'failed', error: 'No model', result: null });
        expect(failed.json['completedAt']).toEqual(expect.any(String));
      }
    });

    test('takes no other step: 409 that says what is possible, and nothing is changed', async () => {
      const { id } = await create(path, least);
      const itemPath = `${path}/${id}`;
      const refuse = async (status: string, detail: RegExp) => {
        const before = await live('GET', itemPath);
        const answer = await live('PATCH', itemPath, { status, name: 'changed' });
        expect([answer.status, answer.json['code']]).toEqual([409, 'conflict']);
        expect(answer.json['detail']).toMatch(detail);
        expect((await live('GET', itemPath)).json).toEqual(before.json);
      };
      await refuse('completed', /pending can't become completed: it can become running or failed/);
      await refuse('pending', /pending already/);
      await live('PATCH', itemPath, { status: 'running' });
      await refuse('pending', /running can't become pending/);
      await live('PATCH', itemPath, { status: 'completed' });
      for (const status of ['pending', 'running', 'completed', 'failed']) await refuse(status, /for good/);
      expect((await eventsOf(id)).filter(({ type }) => String(type).endsWith('.updated'))).toHaveLength(2);
    });

    test('of ten workers that take it at once, one has it', async () => {
      const { id } = await create(path, least);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => live('PATCH', `${path}/${id}`, { status: 'running' })),
      );
      expect(statusesOf(answers)).toEqual([200, ...Array(9).fill(409)]);
    });

    test.each<[string, object, string[]]>([
      ['a status that there is not', { status: 'done' }, ['status']],
      ['null for a status', { status: null }, ['status']],
      ['a result alone', { result: {} }, ['result']],
      ['a result of what runs', { status: 'running', result: {} }, ['result']],
      ['an error of what is completed', { status: 'completed', error: 'x' }, ['error']],
      ['a result of what has failed', { status: 'failed', result: {}, error: 'x' }, ['result']],
      ['a result that is a list', { status: 'completed', result: [] }, ['result']],
      ['a result of 100,001 bytes', { status: 'completed', result: { a: 'x'.repeat(99_993) } }, ['result']],
      ['an error of 2,001', { status: 'failed', error: 'x'.repeat(2_001) }, ['error']],
      ['NUL in a result', { status: 'completed', result: { a: ['\0'] } }, ['result.a.0']],
      ['a time', { completedAt: '2020-01-01T00:00:00.000Z' }, ['completedAt']],
    ])('%s: 422', async (_name, body, paths) => {
      const { id } = await create(path, least);
      await live('PATCH', `${path}/${id}`, { status: 'running' });
      expect(pathsOf(await live('PATCH', `${path}/${id}`, body))).toEqual(paths);
    });

    test('a number that JSON can write and nobody can keep: 422', async () => {
      const { id } = await create(path, least);
      const key = (await api.newKey(organization, owner, 'live')).key;
      const answer = await fetch(`${api.url}${path}/${id}`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: '{"status":"completed","result":{"a":[1e999]}}',
      });
      expect(answer.status).toBe(422);
    });

    test('a result of 100,000 bytes is kept', async () => {
      const { id } = await create(path, least);
      await live('PATCH', `${path}/${id}`, { status: 'running' });
      const most = { a: 'x'.repeat(99_992) };
      const { json } = await live('PATCH', `${path}/${id}`, { status: 'completed', result: most });
      expect(json['result']).toEqual(most);
    });
  });

  describe('the items of a dataset', () => {
    test('are kept in order, counted, replaced as a whole, and left out of lists', async () => {
      const items = Array.from({ length: 1_000 }, (_, index) => ({ index, z: 'z', a: { deep: [null] } }));
      const { id, ...made } = await create('/v1/datasets', { name: 'Many', items });
      expect([made['items'], made['itemCount']]).toEqual([items, 1_000]);
      const path = `/v1/datasets/${id}`;
      expect((await live('GET', path)).json).toMatchObject({ items, itemCount: 1_000 });
      const [listed] = (await live('GET', '/v1/datasets?limit=1')).json['data'] as Item[];
      expect(listed).toMatchObject({ id, itemCount: 1_000 });
      expect(listed).not.toHaveProperty('items');
      const changed = await live('PATCH', path, { items: [{ only: true }] });
      expect(changed.json).toMatchObject({ items: [{ only: true }], itemCount: 1 });
    });
  });
});
