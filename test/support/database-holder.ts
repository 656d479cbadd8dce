import { openDatabase } from '../../adapters/database/database.ts';
import { createLogger } from '../../src/kernel/log.ts';

/**
 * A process that opens the embedded database of the folder it is given and writes rows until it is killed, saying the
 * number of each on standard output once the database has acknowledged it.
 */
const database = await openDatabase({
  databaseUrl: undefined,
  poolSize: 1,
  dataDir: process.argv[2] as string,
  logger: createLogger('warn'),
});
await database.sql().raw('CREATE TABLE IF NOT EXISTS acknowledged (number integer PRIMARY KEY)');
process.stdout.write('open\n');
for (let number = 1; process.argv[3] === 'write'; number++) {
  await database.sql()('acknowledged').insert({ number });
  process.stdout.write(`${number}\n`);
}
setInterval(() => {}, 60_000);
