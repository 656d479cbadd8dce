import { beforeEach, describe, expect, test } from '@jest/globals';
import type Provider from 'oidc-provider';
import { newId } from '../../src/kernel/ids.ts';
import { type RememberedClients, rememberClients } from '../../src/oauth/remember-clients.ts';

const [A, B, C] = [newId('app'), newId('app'), newId('app')];

describe('Clients that are remembered', () => {
  let live: boolean;
  let change: (tag: string) => void;
  let gap: () => void;
  let asked: string[];
  let model: { find(id: string): Promise<object | undefined> };
  let meanwhile: () => void;
  let remembered: RememberedClients;

  /** The model as the library has it, with the test in place of the database. */
  const create = (options: { lifetimeSeconds?: number; maxEntries?: number } = {}): void => {
    asked = [];
    model = {
      find: async (id) => {
        asked.push(id);
        meanwhile();
        return id === 'app_unknown' ? undefined : { clientId: id };
      },
    };
    remembered = rememberClients(
      { Client: model } as unknown as Provider,
      {
        onChange: (listener) => {
          change = listener;
        },
        onGap: (listener) => {
          gap = listener;
        },
        isLive: () => live,
      },
      { lifetimeSeconds: 3600, maxEntries: 2, ...options },
    );
  };
  const find = async (...ids: string[]): Promise<void> => {
    for (const id of ids) expect(await model.find(id)).toEqual({ clientId: id });
  };

  beforeEach(() => {
    live = true;
    meanwhile = () => undefined;
    create();
  });

  test('are asked for once', async () => {
    await find(A, A, A);
    expect(asked).toEqual([A]);
  });

  test.each([
    ['a change of the app', () => change(`app:${A}`), [A, B, A]],
    ['a change of an organization', () => change('organization:org_1'), [A, B, A, B]],
    ['news that may have been missed', () => gap(), [A, B, A, B]],
    ['a change that this process made', () => remembered.forget(), [A, B, A, B]],
    ['a change of something else', () => change('user:usr_1'), [A, B]],
  ])('are forgotten after %s', async (_, happen, expected) => {
    await find(A, B);
    happen();
    await find(A, B);
    expect(asked).toEqual(expected);
  });

  test('are not kept when a change came in while one was read', async () => {
    meanwhile = () => change(`app:${B}`);
    await find(A);
    meanwhile = () => undefined;
    await find(A, A);
    expect(asked).toEqual([A, A]);
  });

  test('are neither believed nor kept while the feed is not live', async () => {
    await find(A);
    live = false;
    await find(A, B);
    live = true;
    await find(A, B);
    expect(asked).toEqual([A, A, B, B]);
  });

  test('are bounded, and what is none of our apps is not kept', async () => {
    await find(A, B, C, A);
    expect(asked).toEqual([A, B, C, A]);
    await model.find('app_unknown');
    await find('https://client.example/metadata', 'https://client.example/metadata');
    expect(asked).toHaveLength(7);
    create({ lifetimeSeconds: 0 });
    await find(A, A);
    expect(asked).toEqual([A, A]);
  });
});
