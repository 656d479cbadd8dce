import { type Measured, median } from './load.ts';

/** One side of a comparison: whatever can be kept busy for so many seconds. */
export type Side = { measure(seconds: number): Promise<Measured> };

export type Pace = { seconds: number; pairs: number; warmUpSeconds: number };

export type Report = {
  /** Measures both sides in turn, so that what else the machine does hits both alike, and writes down the median ratio. */
  compare(row: {
    name: string;
    /** What `a` over `b` is to reach. */
    goal: number;
    a: Side;
    b: Side;
    read?: (measured: Measured) => number;
  }): Promise<void>;
  /** A row that is no comparison. */
  note(name: string, goal: string, figure: string): void;
  lines(): string[];
};

export function createReport({ seconds, pairs, warmUpSeconds }: Pace, say: (line: string) => void): Report {
  const written: string[] = [];
  const write = (line: string): void => {
    written.push(line);
    say(line);
  };
  write('| goal | at least | ratio | a | b |');
  write('|---|---|---|---|---|');

  return {
    compare: async ({ name, goal, a, b, read = ({ perSecond }) => perSecond }) => {
      await a.measure(warmUpSeconds);
      await b.measure(warmUpSeconds);
      const measured: { a: Measured; b: Measured }[] = [];
      for (let i = 0; i < pairs; i++)
        measured.push({ a: await a.measure(seconds), b: await b.measure(seconds) });
      const ratio = median(measured.map((pair) => read(pair.a) / read(pair.b)));
      const sides = (['a', 'b'] as const).map((side) => describe(measured.map((pair) => pair[side])));
      write(`| ${name} | ${goal} | **${ratio.toFixed(2)}** | ${sides.join(' | ')} |`);
    },
    note: (name, goal, figure) => write(`| ${name} | ${goal} | ${figure} | | |`),
    lines: () => written,
  };
}

function describe(of: readonly Measured[]): string {
  const figure = (pick: (one: Measured) => number) => median(of.map(pick));
  const cpu = figure((one) => one.cpuMicros);
  const p99 = figure((one) => one.p99Ms);
  return [
    `${Math.round(figure((one) => one.perSecond))}/s`,
    ...(cpu > 0 ? [`${Math.round(cpu)} µs CPU`] : []),
    ...(p99 > 0 ? [`p99 ${p99.toFixed(0)} ms`] : []),
  ].join(', ');
}
