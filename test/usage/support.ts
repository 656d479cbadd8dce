import type { Database } from '../../adapters/database/database.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { HourCount, MinuteCount, NetworkUse, UsageBatch } from '../../src/usage/usage.ts';

export async function newOrganization(database: Database): Promise<string> {
  const id = newId('org');
  await database.sql()('organizations').insert({ id, name: 'Test' });
  return id;
}

export const at = (text: string): Date => new Date(`2026-03-10T${text}Z`);

/** One allowed call of a live key, unless `fields` says otherwise. */
export const hourCount = (fields: Partial<HourCount> & Pick<HourCount, 'organizationId'>): HourCount => ({
  environment: 'live',
  method: 'api_key',
  hour: at('10:00:00'),
  credential: 'key_1',
  route: 'GET /v1/prompts',
  scope: 'prompts:read',
  status: 200,
  requests: 1,
  allowed: 1,
  refused: 0,
  ...fields,
});

export const minuteCount = (
  fields: Partial<MinuteCount> & Pick<MinuteCount, 'organizationId'>,
): MinuteCount => ({
  environment: 'live',
  method: 'api_key',
  minute: at('10:00:00'),
  asked: Array.from({ length: 60 }, () => 0),
  ...fields,
});

export const networkUse = (fields: Partial<NetworkUse> & Pick<NetworkUse, 'organizationId'>): NetworkUse => ({
  environment: 'live',
  credential: 'key_1',
  network: '192.0.2.1',
  firstSeenAt: at('10:00:00'),
  lastSeenAt: at('10:00:00'),
  ...fields,
});

let batches = 0;

/** A batch of a writer of its own, unless `fields` names one. */
export const batchOf = (fields: Partial<UsageBatch>): UsageBatch => ({
  writerId: `writer-${++batches}`,
  number: 1,
  hours: [],
  minutes: [],
  networks: [],
  ...fields,
});
