import { beforeEach, describe, expect, test } from '@jest/globals';
import type { MeteredCall } from '../../src/http/route.ts';
import type { Logger } from '../../src/kernel/log.ts';
import type { Principal } from '../../src/principals/principal.ts';
import { createUsageMeter } from '../../src/usage/meter.ts';
import type { UsageBatch } from '../../src/usage/usage.ts';

const key: Principal = {
  method: 'api_key',
  id: 'key_1',
  organizationId: 'org_1',
  environment: 'live',
  scopes: [],
};
const route: MeteredCall['route'] = {
  method: 'GET',
  path: '/v1/prompts/:id',
  scope: 'prompts:read',
  summary: '',
  status: 200,
  handle: () => Promise.resolve(),
};
const call = (fields: Partial<MeteredCall> = {}): MeteredCall => ({
  route,
  principal: key,
  status: 200,
  ip: '192.0.2.1',
  limited: 'allowed',
  ...fields,
});

let now: Date;
let logged: { level: string; entry: object; message: string }[];
const write = (level: string) => (entry: object, message: string) =>
  void logged.push({ level, entry, message });
const logger = { warn: write('warn'), error: write('error') } as unknown as Logger;
const clock = () => now;
const countLost = () => {};

beforeEach(() => {
  now = new Date('2026-03-10T10:59:58.500Z');
  logged = [];
});

/** A store that keeps what it is given, and does as `fail` says. */
function createStore() {
  const added: UsageBatch[] = [];
  const store = {
    added,
    fail: (_batch: UsageBatch): Promise<void> => Promise.resolve(),
    add: async (batch: UsageBatch) => {
      await store.fail(batch);
      added.push(batch);
    },
  };
  return store;
}

describe('the meter', () => {
  test('counts a call by who called, what, and what became of it', async () => {
    const store = createStore();
    const meter = createUsageMeter({ countLost, add: store.add, clock, logger });
    const person = { method: 'oauth_user', id: 'usr_1', userId: 'usr_1', clientId: 'app_1' } as const;
    meter.count(call());
    meter.count(call());
    meter.count(call({ status: 429, limited: 'refused' }));
    meter.count(call({ status: 403, limited: 'not_reached' }));
    meter.count(call({ principal: { ...key, ...person } }));
    meter.count(call({ principal: undefined, status: 401, limited: 'not_reached' }));
    await meter.flush();

    expect(store.added).toHaveLength(1);
    const common = {
      organizationId: 'org_1',
      environment: 'live',
      method: 'api_key',
      hour: new Date('2026-03-10T10:00:00Z'),
      credential: 'key_1',
      route: 'GET /v1/prompts/:id',
      scope: 'prompts:read',
    };
    expect(store.added[0]?.hours).toEqual([
      { ...common, status: 200, requests: 2, allowed: 2, refused: 0 },
      { ...common, status: 429, requests: 1, allowed: 0, refused: 1 },
      { ...common, status: 403, requests: 1, allowed: 0, refused: 0 },
      {
        ...common,
        method: 'oauth_user',
        credential: 'usr_1:app_1',
        status: 200,
        requests: 1,
        allowed: 1,
        refused: 0,
      },
    ]);
  });

  test('counts who asked the limits by the second, over the ends of minute, hour and day', async () => {
    const store = createStore();
    const meter = createUsageMeter({ countLost, add: store.add, clock, logger });
    now = new Date('2026-03-10T23:59:58.500Z');
    meter.count(call());
    meter.count(call({ status: 429, limited: 'refused' }));
    meter.count(call({ status: 403, limited: 'not_reached' }));
    now = new Date('2026-03-10T23:59:59.999Z');
    meter.count(call());
    now = new Date('2026-03-11T00:00:00.000Z');
    meter.count(call());
    await meter.flush();

    const [batch] = store.added;
    expect(batch?.minutes.map(({ minute, asked }) => [minute.toISOString(), asked])).toEqual([
      ['2026-03-10T23:59:00.000Z', [...Array.from({ length: 58 }, () => 0), 2, 1]],
      ['2026-03-11T00:00:00.000Z', [1, ...Array.from({ length: 59 }, () => 0)]],
    ]);
    expect(batch?.hours.map(({ hour, status, requests }) => [hour.toISOString(), status, requests])).toEqual([
      ['2026-03-10T23:00:00.000Z', 200, 2],
      ['2026-03-10T23:00:00.000Z', 429, 1],
      ['2026-03-10T23:00:00.000Z', 403, 1],
      ['2026-03-11T00:00:00.000Z', 200, 1],
    ]);
  });

  test('notes the networks, IPv6 by /64, and when each was first and last seen', async () => {
    const store = createStore();
    const meter = createUsageMeter({ countLost, add: store.add, clock, logger });
    const first = now;
    meter.count(call({ ip: '2001:db8::1' }));
    now = new Date(now.getTime() + 1000);
    meter.count(call({ ip: '2001:db8::1' }));
    const last = now;
    now = new Date(first.getTime() - 5000); // the clock is set back
    meter.count(call({ ip: '2001:db8::1' }));
    await meter.flush();
    expect(store.added[0]?.networks).toEqual([
      {
        organizationId: 'org_1',
        environment: 'live',
        credential: 'key_1',
        network: '2001:db8:0:0::/64',
        firstSeenAt: first,
        lastSeenAt: last,
      },
    ]);
  });

  test('writes nothing when nothing was called', async () => {
    const store = createStore();
    await createUsageMeter({ countLost, add: store.add, clock, logger }).flush();
    expect(store.added).toEqual([]);
  });

  test('keeps what could not be written, and repeats it unchanged, before what came since', async () => {
    const store = createStore();
    const tried: UsageBatch[] = [];
    store.fail = (batch) => {
      tried.push(batch);
      return Promise.reject(new Error('no database'));
    };
    const meter = createUsageMeter({ countLost, add: store.add, clock, logger });
    meter.count(call());
    await meter.flush();
    meter.count(call());
    await meter.flush();
    expect(tried).toHaveLength(2);
    expect(tried[1]).toBe(tried[0]);
    expect(tried[0]?.hours).toMatchObject([{ requests: 1 }]);
    expect(logged.map(({ message }) => message)).toEqual([
      'usage could not be written yet',
      'usage could not be written yet',
    ]);

    store.fail = () => Promise.resolve();
    await meter.flush();
    expect(store.added.map(({ writerId, number }) => [writerId, number])).toEqual([
      [tried[0]?.writerId, 1],
      [tried[0]?.writerId, 2],
    ]);
    expect(store.added.map(({ hours }) => hours[0]?.requests)).toEqual([1, 1]);
  });

  test('writes one batch at a time; who asks for a flush meanwhile gets one that began after', async () => {
    const store = createStore();
    let release: (() => void) | undefined;
    store.fail = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const meter = createUsageMeter({ countLost, add: store.add, clock, logger });
    meter.count(call());
    const first = meter.flush();
    meter.count(call());
    const second = meter.flush();
    const third = meter.flush();
    store.fail = () => Promise.resolve();
    release?.();
    await Promise.all([first, second, third]);
    expect(store.added.map(({ number, hours }) => [number, hours[0]?.requests])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  test('past its bound gives up detail, keeps the sums exact; past twice that drops, and says how many', async () => {
    const store = createStore();
    let lost = 0;
    const countLost = () => void lost++;
    const meter = createUsageMeter({ countLost, add: store.add, clock, logger, mostRows: 3 });
    const from = (id: string, organizationId: string) =>
      call({ principal: { ...key, id, organizationId }, ip: id });
    for (let i = 0; i < 10; i++) meter.count(from(`key_${i}`, 'org_1')); // 3 rows, then one for the other 7
    for (let i = 0; i < 3; i++) meter.count(from('key_x', `org_x${i}`)); // of which two find room
    meter.count(from('key_0', 'org_1')); // still told apart
    await meter.flush();

    const [batch] = store.added;
    expect(
      batch?.hours.map(({ organizationId, credential, route: called, scope, requests }) => [
        organizationId,
        credential,
        called,
        scope,
        requests,
      ]),
    ).toEqual([
      ['org_1', 'key_0', 'GET /v1/prompts/:id', 'prompts:read', 2],
      ['org_1', 'key_1', 'GET /v1/prompts/:id', 'prompts:read', 1],
      ['org_1', 'key_2', 'GET /v1/prompts/:id', 'prompts:read', 1],
      ['org_1', 'other', 'other', 'other', 7],
      ['org_x0', 'other', 'other', 'other', 1],
      ['org_x1', 'other', 'other', 'other', 1],
    ]);
    expect([batch?.minutes.length, batch?.networks.length]).toEqual([3, 3]);
    expect(logged).toEqual([
      { level: 'error', entry: { lost: 1 }, message: expect.stringContaining('not counted') },
    ]);
    expect(lost).toBe(1);
  });
});
