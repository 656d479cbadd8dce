/**
 * What limits would have done to calls that were recorded by the second. Pure: the limits themselves are passed in, and
 * are those that decide over real calls.
 *
 * All calls of a second are taken to have come at its start. So a window of a second holds exactly one second's calls, where
 * the real one begins with its first call and may reach into the next; windows of minutes are off by less than a second. A
 * key's or app's own limits are not replayed: they hold whatever the plan.
 */
type Windows = 'second' | 'minute' | 'day';

/** Whether one more call passes at that time, and the limits' state after it. `window`: which refused it. */
export type Ask<State> = (
  nowMs: number,
  state: State,
) => { allowed: true; state: State } | { allowed: false; state: State; window: Windows };

export type Replayed = {
  refused: number;
  refusedBy: Record<Windows, number>;
  firstRefusedAt: Date | undefined;
  lastRefusedAt: Date | undefined;
  /** The minute in which the most were refused; the first of them. */
  worstMinute: { at: Date; refused: number } | undefined;
};

export type Replay = {
  /** The minutes of one bucket, in their order; those without a call may be left out. `asked`: by the second. */
  minute(minute: Date, asked: readonly number[]): void;
  result(): Replayed;
};

/** Begins with nothing counted: what came before the first minute is forgotten. */
export function createReplay<State>(start: State, ask: Ask<State>): Replay {
  let state = start;
  const refusedBy = { second: 0, minute: 0, day: 0 };
  let firstRefusedAt: Date | undefined;
  let lastRefusedAt: Date | undefined;
  let worstMinute: Replayed['worstMinute'];

  /** How many of a second's calls are refused. Once one is, so are all after it: nothing is counted any more. */
  const second = (nowMs: number, asked: number): number => {
    for (let passed = 0; passed < asked; passed++) {
      const answer = ask(nowMs, state);
      state = answer.state;
      if (answer.allowed) continue;
      const refused = asked - passed;
      refusedBy[answer.window] += refused;
      lastRefusedAt = new Date(nowMs);
      firstRefusedAt ??= lastRefusedAt;
      return refused;
    }
    return 0;
  };

  return {
    minute: (minute, asked) => {
      const refused = asked
        .map((calls, index) => second(minute.getTime() + index * 1_000, calls))
        .reduce((all, one) => all + one, 0);
      if (refused > (worstMinute?.refused ?? 0)) worstMinute = { at: minute, refused };
    },
    result: () => ({
      refused: refusedBy.second + refusedBy.minute + refusedBy.day,
      refusedBy,
      firstRefusedAt,
      lastRefusedAt,
      worstMinute,
    }),
  };
}
