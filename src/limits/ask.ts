import { decisionOf } from './decision.ts';
import { type Counted, take, type WindowName } from './policy.ts';

type Answer =
  | { allowed: true; state: readonly Counted[] }
  | { allowed: false; state: readonly Counted[]; window: WindowName };

/** Whether one more request passes, the counts after it, and of the windows that refuse the one that does so longest. */
export function ask(nowMs: number, state: readonly Counted[]): Answer {
  const { allowed, parts } = take(nowMs, state);
  if (allowed) return { allowed, state: parts };
  return { allowed, state: parts, window: decisionOf(nowMs, allowed, parts).shown.window };
}
