import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createCredentialCache } from '../../src/principals/credential-cache.ts';
import type { Memory, Proven } from '../../src/principals/resolve.ts';
import { ALLOWANCE } from '../support/limits.ts';

describe('Proofs of credentials', () => {
  let live: boolean;
  let change: (tag: string) => void;
  let gap: () => void;

  /** The feed as the port has it, with the test in place of the database. */
  const create = (options: { lifetimeSeconds?: number; maxEntries?: number } = {}): Memory =>
    createCredentialCache(
      {
        onChange: (listener) => {
          change = listener;
        },
        onGap: (listener) => {
          gap = listener;
        },
        isLive: () => live,
      },
      { lifetimeSeconds: 3600, maxEntries: 3, ...options },
    );

  const proofOf = (id: string, forMs?: number): Proven => ({
    kind: 'proven',
    principal: {
      method: 'api_key',
      id,
      organizationId: 'org_1',
      environment: 'live',
      scopes: [],
      allowance: ALLOWANCE,
    },
    restsOn: { tags: [`key:${id}`, 'organization:org_1'], ...(forMs === undefined ? {} : { forMs }) },
  });

  const remember = (memory: Memory, id: string, forMs?: number): void =>
    memory.keep(`credential-${id}`, proofOf(id, forMs), memory.begin());

  beforeEach(() => {
    live = true;
  });

  test('are found by the credential, and by no other', () => {
    const memory = create();
    remember(memory, 'a');
    expect(memory.find('credential-a')?.principal.id).toBe('a');
    expect(memory.find('credential-b')).toBeUndefined();
  });

  test('go when what they rest on changes, each alone or all of an organization', () => {
    const memory = create();
    for (const id of ['a', 'b']) remember(memory, id);
    change('key:a');
    expect([memory.find('credential-a'), memory.find('credential-b')?.principal.id]).toEqual([
      undefined,
      'b',
    ]);
    change('organization:org_1');
    expect(memory.find('credential-b')).toBeUndefined();
  });

  test('that were begun before a change are not kept after it: they may have read what was true before', () => {
    const memory = create();
    const begun = memory.begin();
    change('key:a');
    memory.keep('credential-a', proofOf('a'), begun);
    expect(memory.find('credential-a')).toBeUndefined();
    const begunAgain = memory.begin();
    gap();
    memory.keep('credential-a', proofOf('a'), begunAgain);
    expect(memory.find('credential-a')).toBeUndefined();
  });

  test('are not found and not kept while the feed is lost, and are gone when it is back', () => {
    const memory = create();
    remember(memory, 'a');
    live = false;
    expect(memory.find('credential-a')).toBeUndefined();
    remember(memory, 'b');
    gap();
    live = true;
    expect([memory.find('credential-a'), memory.find('credential-b')]).toEqual([undefined, undefined]);
  });

  test('end with the credential, and with the lifetime that was set, whichever is sooner', async () => {
    const memory = create();
    remember(memory, 'a', 20);
    remember(memory, 'over', 0);
    const never = create({ lifetimeSeconds: 0 });
    remember(never, 'b');
    expect([memory.find('credential-a')?.principal.id, memory.find('credential-over')]).toEqual([
      'a',
      undefined,
    ]);
    expect(never.find('credential-b')).toBeUndefined();
    await setTimeout(30);
    expect(memory.find('credential-a')).toBeUndefined();
  });

  test('that say nothing of what they rest on are never kept', () => {
    const memory = create();
    const { principal } = proofOf('a');
    memory.keep('credential-a', { kind: 'proven', principal }, memory.begin());
    expect(memory.find('credential-a')).toBeUndefined();
  });

  test('are bounded: the one that was kept first goes first', () => {
    const memory = create({ maxEntries: 2 });
    for (const id of ['a', 'b', 'c']) remember(memory, id);
    expect(['a', 'b', 'c'].map((id) => memory.find(`credential-${id}`)?.principal.id)).toEqual([
      undefined,
      'b',
      'c',
    ]);
  });
});
