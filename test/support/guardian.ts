import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Waits for the end of its standard input, which comes when the run closes it or dies in whatever way (Ctrl-C,
 * kill -9); then ends the processes that the run started (see `endWithRun`) and removes its folder.
 */
const SCRIPT = `
alive() { case "$(ps -o stat= -p "$1")" in ''|Z*) return 1 ;; esac; }
cat >/dev/null
cd "$1/processes" && for pid in *; do
  [ -f "$pid" ] || continue
  kill -CONT "$pid" 2>/dev/null
  kill -"$(cat "$pid")" "$pid" 2>/dev/null
  tries=0
  while alive "$pid" && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
done
cd / && rm -rf "$1"
`;

export type Guardian = { directory: string; finish(): Promise<void> };

export function startGuardian(): Guardian {
  const directory = mkdtempSync(path.join(tmpdir(), 'promptreports-test-'));
  chmodSync(directory, 0o711); // PostgreSQL's user must reach its folder in it
  mkdirSync(path.join(directory, 'processes'));
  const child: ChildProcess = spawn('sh', ['-c', SCRIPT, 'guardian', directory], {
    detached: true, // a Ctrl-C at the terminal is not for it
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  return {
    directory,
    finish: async () => {
      child.ref();
      const exited = once(child, 'exit');
      child.stdin?.end();
      await exited;
    },
  };
}
