import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { newId } from '../../src/kernel/ids.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { type Api, startApi, statusesOf } from './support.ts';

type Item = { id: string; [member: string]: unknown };
type Call = ReturnType<Api['as']>;

/** Who refers to whom. `fixed`: the reference is said once, when the item is made. */
const REFERENCES = [
  { from: '/v1/prompts', member: 'folderId', to: '/v1/folders', fields: { content: '' }, fixed: false },
  { from: '/v1/folders', member: 'parentId', to: '/v1/folders', fields: {}, fixed: false },
  { from: '/v1/reports', member: 'promptId', to: '/v1/prompts', fields: {}, fixed: true },
  { from: '/v1/evaluations', member: 'promptId', to: '/v1/prompts', fields: {}, fixed: true },
  { from: '/v1/evaluations', member: 'datasetId', to: '/v1/datasets', fields: {}, fixed: true },
];

describeEachDatabase('references between items', (open) => {
  let database: Database;
  let api: Api;
  let organization: string;
  let live: Call;
  let sandbox: Call;
  let stranger: Call;

  beforeAll(async () => {
    database = await open();
    api = await startApi(database);
    organization = await api.newOrganization();
    const owner = await api.newMember(organization, 'owner');
    live = api.as((await api.newKey(organization, owner, 'live')).key);
    sandbox = api.as((await api.newKey(organization, owner, 'test')).key);
    const other = await api.newOrganization();
    stranger = api.as((await api.newKey(other, await api.newMember(other, 'owner'), 'live')).key);
  });
  afterAll(async () => {
    await api.close();
    await database.close();
  });

  const create = async (path: string, fields: object = {}, by = live): Promise<Item> => {
    const { status, json } = await by('POST', path, {
      name: 'x',
      ...(path === '/v1/prompts' ? { content: '' } : {}),
      ...fields,
    });
    expect([path, status, json]).toEqual([path, 201, expect.anything()]);
    return json as Item;
  };
  const read = async (path: string, { id }: Item) => (await live('GET', `${path}/${id}`)).json as Item;

  describe.each(REFERENCES)('$from $member', ({ from, member, to, fields, fixed }) => {
    test('names an item of the same owner, and is null once that is deleted', async () => {
      const target = await create(to);
      const item = await create(from, { ...fields, [member]: target.id });
      expect(item[member]).toBe(target.id);
      expect((await live('DELETE', `${to}/${target.id}`)).status).toBe(204);
      expect(await read(from, item)).toEqual({ ...item, [member]: null });
    });

    test("names no other: what isn't there, another organization's, the sandbox's, all the same 422", async () => {
      const item = await create(from, fields);
      const targets = [
        `${(await create(to)).id.slice(0, 4)}${'0'.repeat(26)}`,
        (await create(to, {}, stranger)).id,
        (await create(to, {}, sandbox)).id,
      ];
      for (const target of targets) {
        for (const [method, path, body] of [
          ['POST', from, { name: 'x', ...fields, [member]: target }],
          ...(fixed ? [] : [['PATCH', `${from}/${item.id}`, { [member]: target }] as const]),
        ] as const) {
          const { status, json } = await live(method, path, body);
          expect([status, json['errors']]).toEqual([
            422,
            [{ path: member, message: 'names nothing that this credential may see' }],
          ]);
        }
      }
      expect(await read(from, item)).toEqual(item);
    });

    test('is changed, and taken away, or is fixed', async () => {
      const target = await create(to);
      const item = await create(from, { ...fields, [member]: target.id });
      const path = `${from}/${item.id}`;
      if (fixed) {
        expect((await live('PATCH', path, { [member]: null })).status).toBe(422);
      } else {
        const next = await create(to);
        expect((await live('PATCH', path, { [member]: next.id })).json[member]).toBe(next.id);
        expect((await live('PATCH', path, { name: 'y' })).json[member]).toBe(next.id);
        expect((await live('PATCH', path, { [member]: null })).json[member]).toBeNull();
      }
    });

    test('that is written while its target is deleted is refused or becomes null, and never dangles', async () => {
      for (let round = 0; round < 5; round++) {
        const target = await create(to);
        const item = await create(from, fields);
        const [removed, ...written] = await Promise.all([
          live('DELETE', `${to}/${target.id}`),
          live('POST', from, { name: 'x', ...fields, [member]: target.id }),
          ...(fixed ? [] : [live('PATCH', `${from}/${item.id}`, { [member]: target.id })]),
          live('POST', from, { name: 'x', ...fields, [member]: target.id }),
        ]);
        expect(removed.status).toBe(204);
        for (const { status, json } of written) {
          expect([200, 201, 422]).toContain(status);
          if (status === 422) expect(json['errors']).toMatchObject([{ path: member }]);
          else expect((await read(from, json as Item))[member]).toBeNull();
        }
      }
    });
  });

  test.each(REFERENCES.filter(({ fixed }) => !fixed))(
    '$from $member of an item that is not there is 404, whatever it names',
    async ({ from, member, to, fields }) => {
      const theirs = await create(from, fields, stranger);
      const target = await create(to);
      expect((await live('PATCH', `${from}/${theirs.id}`, { [member]: target.id })).status).toBe(404);
    },
  );

  test('are held by the database to one organization and one environment', async () => {
    const folder = await create('/v1/folders');
    const row = {
      id: newId('prm'),
      organization_id: organization,
      environment: 'live',
      name: 'x',
      content: '',
    };
    for (const foreign of [{ environment: 'test' }, { organization_id: await api.newOrganization() }]) {
      const insert = database
        .sql()('prompts')
        .insert({ ...row, ...foreign, folder_id: folder.id });
      await expect(insert).rejects.toMatchObject({ code: '23503', constraint: 'prompts_folder_id_fkey' });
    }
    await database
      .sql()('prompts')
      .insert({ ...row, folder_id: folder.id });
  });

  test('do not keep an organization from being deleted with all it has', async () => {
    const doomed = await api.newOrganization();
    const owner = await api.newMember(doomed, 'owner');
    const call = api.as((await api.newKey(doomed, owner, 'live')).key);
    const outer = await create('/v1/folders', {}, call);
    const inner = await create('/v1/folders', { parentId: outer.id }, call);
    const prompt = await create('/v1/prompts', { folderId: inner.id }, call);
    const dataset = await create('/v1/datasets', {}, call);
    await create('/v1/reports', { promptId: prompt.id }, call);
    await create('/v1/evaluations', { promptId: prompt.id, datasetId: dataset.id }, call);
    await database.sql()('organizations').where({ id: doomed }).delete();
    for (const table of ['folders', 'prompts', 'datasets', 'reports', 'evaluations'])
      expect(await database.sql()(table).where({ organization_id: doomed })).toEqual([]);
  });

  describe('the tree of folders', () => {
    const chain = async (levels: number): Promise<Item[]> => {
      const made: Item[] = [];
      for (let level = 0; level < levels; level++)
        made.push(await create('/v1/folders', { parentId: made.at(-1)?.id ?? null }));
      return made;
    };
    const move = (folder: Item | undefined, parent: Item | undefined) =>
      live('PATCH', `/v1/folders/${folder?.id}`, { parentId: parent?.id });
    const fault = (message: string) => ({
      code: 'validation_failed',
      errors: [{ path: 'parentId', message }],
    });

    test('is at most ten levels deep, counting what a moved folder holds', async () => {
      const ten = await chain(10);
      const eleventh = await live('POST', '/v1/folders', { name: 'x', parentId: ten[9]?.id });
      expect([eleventh.status, eleventh.json]).toMatchObject([
        422,
        fault('must leave at most 10 levels of folders'),
      ]);
      const three = await chain(3);
      expect((await move(three[0], ten[7])).json).toMatchObject(
        fault('must leave at most 10 levels of folders'),
      );
      expect((await move(three[0], ten[6])).status).toBe(200);
      expect((await move(three[2], ten[8])).status).toBe(200);
    });

    test('has no circles', async () => {
      const three = await chain(3);
      for (const parent of three)
        expect((await move(three[0], parent)).json).toMatchObject(
          fault('must not be the folder itself or one in it'),
        );
      expect((await move(three[1], three[0])).status).toBe(200);
    });

    test('has none when two folders are put into each other at once', async () => {
      for (let round = 0; round < 5; round++) {
        const [a, b] = [await create('/v1/folders'), await create('/v1/folders')];
        const answers = await Promise.all([move(a, b), move(b, a)]);
        expect(statusesOf(answers)).toEqual([200, 422]);
      }
    });

    test('does not grow too deep when both ends are moved at once', async () => {
      for (let round = 0; round < 4; round++) {
        const [top, middle, bottom] = [await chain(4), await chain(4), await chain(4)];
        const answers = await Promise.all([move(middle[0], top[3]), move(bottom[0], middle[3])]);
        expect(statusesOf(answers)).toEqual([200, 422]);
      }
    });

    test('comes apart where one is deleted: what was in it is at the top, and its prompts stay', async () => {
      const [top, middle, bottom] = await chain(3);
      const prompt = await create('/v1/prompts', { folderId: middle?.id });
      await live('DELETE', `/v1/folders/${middle?.id}`);
      expect((await read('/v1/folders', bottom as Item))['parentId']).toBeNull();
      expect(await read('/v1/folders', top as Item)).toEqual(top);
      expect(await read('/v1/prompts', prompt)).toEqual({ ...prompt, folderId: null });
    });

    test('many moves and deletions at once end without a failure', async () => {
      const folders = await Promise.all(Array.from({ length: 12 }, () => create('/v1/folders')));
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => {
          const folder = folders[index % 12];
          return index % 8 === 7
            ? live('DELETE', `/v1/folders/${folder?.id}`)
            : move(folder, folders[(index * 5 + 1) % 12]);
        }),
      );
      for (const { status } of answers) expect([200, 204, 404, 422]).toContain(status);
    });
  });
});
