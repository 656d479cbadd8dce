import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { freshDataDir, freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { withDatabase } from '../support/prepare.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { addWebhookOwner, type WebhookOwner } from '../support/webhook-owner.ts';
import { answering, resetting, startReceiver, verifySignature } from '../support/webhook-receiver.ts';

/** `npm run faults` runs the long form. */
const LONG = process.env['FAULTS'] === 'long';
const EVENTS = LONG ? 10_000 : 600;
const KILLS = LONG ? 12 : 2;
const ORGANIZATIONS = 5;
const WITHIN_MS = LONG ? 900_000 : 100_000;

/** Megabytes that a process has in memory. */
const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

describeWith('postgresql', 'Webhooks, while a process that sends them is killed again and again', () => {
  test(
    `${EVENTS} events, ${KILLS} kills: each delivered at least once, none signed wrongly, memory flat`,
    async () => {
      const { databaseUrl, drop } = await freshPostgres();
      const env = {
        DATABASE_URL: databaseUrl,
        SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
        LOG_LEVEL: 'error',
      };
      // A small heap, so that what is kept in vain is seen, and not what V8 doesn't care to collect yet.
      const heap = { NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=8' };
      const newServer = () => startServer({ ...env, ...heap, DATA_DIR: freshDataDir().dataDir });
      // Now and then a receiver fails, as receivers do.
      let count = 0;
      const receiver = await startReceiver((response, received) => {
        count++;
        if (count % 307 === 0) return resetting(response, received);
        setTimeout(() => answering(count % 211 === 0 ? 500 : 204)(response, received), count % 7);
      });
      const secretOf = new Map<string, string>();
      const arrived = new Set<string>();
      let checked = 0;
      /** Every request is checked as a customer would check it, the moment it is looked at, and then let go of. */
      const check = () => {
        for (const request of receiver.received.splice(0)) {
          verifySignature(secretOf.get(String(request.event.data['organizationId'])) ?? '', request);
          expect(request.headers['webhook-id']).toBe(request.event.id);
          arrived.add(String(request.event.data['id']));
          checked++;
        }
      };

      let survivor: ServerProcess | undefined;
      let victim: ServerProcess | undefined;
      try {
        await withDatabase({ ...env, DATA_DIR: freshDataDir().dataDir }, async (services) => {
          const owners: WebhookOwner[] = [];
          for (let number = 0; number < ORGANIZATIONS; number++) {
            const owner = await addWebhookOwner(services, number, [receiver.url]);
            owners.push(owner);
            secretOf.set(owner.organizationId, owner.secrets[0] ?? '');
          }
          survivor = await newServer();
          victim = await newServer();

          const memory: { arrived: number; mb: number }[] = [];
          const deadline = performance.now() + WITHIN_MS;
          let told = 0;
          let kills = 0;
          while (arrived.size < EVENTS) {
            if (performance.now() > deadline) throw new Error(`${arrived.size} of ${EVENTS} arrived in time`);
            // Events come while deliveries go on, never far ahead of them.
            for (let i = 0; i < 50 && told < EVENTS && told - arrived.size < EVENTS / 4; i++) {
              await owners[told % ORGANIZATIONS]?.tell(told++);
            }
            check();
            memory.push({ arrived: arrived.size, mb: residentMb(survivor.pid) });
            if (kills < KILLS && arrived.size > (EVENTS * (kills + 1)) / (KILLS + 2)) {
              kills++;
              await victim.kill();
              victim = await newServer();
            }
            await sleep(50); // lets the receiver take what comes
          }
          check();
          expect(kills).toBe(KILLS);
          expect(arrived.size).toBe(EVENTS);
          expect(checked).toBeGreaterThanOrEqual(EVENTS);

          const of = (from: number, to: number) =>
            median(
              memory
                .filter((one) => one.arrived >= from * EVENTS && one.arrived < to * EVENTS)
                .map(({ mb }) => mb),
            );
          const [early, late] = [of(0.25, 0.5), of(0.75, 1)];
          if (LONG) {
            const tenths = Array.from({ length: 10 }, (_, tenth) =>
              Math.round(of(tenth / 10, (tenth + 1) / 10)),
            );
            console.log({ requests: checked, kills, memoryMb: tenths });
          }
          expect(late).toBeLessThan(early * 1.2 + 10);

          // What was written down agrees: nothing waits, nothing was given up.
          let left: unknown[];
          do {
            left = await services.database.sql()('webhook_deliveries').whereNot({ status: 'succeeded' });
          } while (left.length > 0 && performance.now() < deadline);
          expect(left).toEqual([]);
        });
      } finally {
        await victim?.kill();
        await survivor?.kill();
        await receiver.close();
        await drop();
      }
    },
    WITHIN_MS + 60_000,
  );
});
