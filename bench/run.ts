import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Goal } from './bench.ts';
import { apps } from './goals/apps.ts';
import { calls } from './goals/calls.ts';
import { peers } from './goals/peers.ts';
import { processes } from './goals/processes.ts';
import { size } from './goals/size.ts';
import { tokens } from './goals/tokens.ts';
import { openMachine } from './machine.ts';
import { createReport } from './report.ts';

/**
 * `npm run bench`: the goals as ratios, both sides measured in turn in one run. `npm run bench -- calls tokens` takes some of
 * them; `-- --short` a second a side, and says whether it runs, not how fast; `-- --out FILE` writes the table there too.
 */
const GOALS: Record<string, Goal> = { calls, tokens, apps, size, processes, peers };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, out: { type: 'string' } },
});
const { short, out } = values;
const wanted = positionals.length > 0 ? positionals : Object.keys(GOALS);
const unknown = wanted.filter((name) => !Object.hasOwn(GOALS, name));
if (unknown.length > 0) {
  process.stderr.write(`There is no ${unknown.join(', ')}; there are ${Object.keys(GOALS).join(', ')}.\n`);
  process.exit(2);
}

const pace = short ? { seconds: 1, pairs: 1, warmUpSeconds: 1 } : { seconds: 4, pairs: 5, warmUpSeconds: 8 };
const report = createReport(pace, (line) => process.stdout.write(`${line}\n`));
const machine = await openMachine();
try {
  for (const name of wanted) await GOALS[name]?.({ machine, report, short });
} finally {
  await machine.close();
}
if (out) writeFileSync(out, `${report.lines().join('\n')}\n`);
process.exit(0);
