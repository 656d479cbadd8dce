import { randomBytes } from 'node:crypto';
import { closeSync, cpSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { harness, temporaryFolder } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { startServer } from '../support/server-process.ts';
import { mountDisk, unmountDisk } from '../support/services.ts';
import { type Site, startSite } from '../support/site.ts';

describeWith('mount', 'A full disk under the embedded database', () => {
  const disk = temporaryFolder('disk');
  const dataDir = path.join(disk, 'data');
  const filling = path.join(disk, 'filling');
  let site: Site;

  beforeAll(async () => {
    mountDisk(disk);
    cpSync(harness().seedDirectory, path.join(dataDir, 'database'), { recursive: true });
    site = await startSite({ DATA_DIR: dataDir });
  }, 60_000);
  afterAll(async () => {
    await site?.stop();
    unmountDisk(disk);
  });

  function fillUp(): void {
    const file = openSync(filling, 'w');
    try {
      for (;;) writeSync(file, Buffer.alloc(64 * 1024));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    } finally {
      closeSync(file);
    }
  }

  const call = async (to: string, body?: object) => {
    const answer = await fetch(site.server.url + to, {
      headers: { Authorization: `Bearer ${site.made.apiKeys.live}`, 'Content-Type': 'application/json' },
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    });
    const { id = '' } = (await answer.json()) as { id?: string };
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), id };
  };
  /** More than any page has room for. */
  const write = () => call('/v1/prompts', { name: 'Large', content: randomBytes(70_000).toString('base64') });
  const statusOf = async (to: string) => (await call(to)).status;

  test('writes are 503, reads and the process go on, nothing acknowledged is lost, and it heals by itself', async () => {
    const kept: string[] = [];
    let refused: Awaited<ReturnType<typeof write>> | undefined;
    fillUp();
    for (let tries = 0; tries < 1_000 && !refused; tries++) {
      const answer = await write();
      if (answer.status === 201) kept.push(answer.id);
      else refused = answer;
    }
    expect(refused).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
    // Small ones too, by the hundred: what still finds room in a page is kept, and what doesn't is refused.
    for (let i = 0; i < 300; i++) {
      const { status, id } = await call('/v1/prompts', { name: 'Small', content: 'x' });
      expect([201, 503]).toContain(status);
      if (status === 201) kept.push(id);
    }
    expect([await statusOf('/v1/prompts'), await statusOf('/readyz'), await statusOf('/livez')]).toEqual([
      200, 200, 200,
    ]);

    rmSync(filling);
    const after = await write();
    expect(after.status).toBe(201);
    await site.server.kill();
    site.server = await startServer({ DATA_DIR: dataDir, PORT: String(site.server.port) });
    for (const id of [...kept, after.id]) expect(await statusOf(`/v1/prompts/${id}`)).toBe(200);
  }, 120_000);
});
