/** The part of Jest's results that is read here. */
type Module = {
  status: string;
  title: string;
  ancestorTitles: string[];
  duration?: number | null;
  failureMessages: string[];
};
type Results = {
  testResults: { testResults: Module[]; testExecError?: unknown; failureMessage?: string | null }[];
  numPassedTests: number;
  numTotalTests: number;
};

/** Prints one line a module, under its certification plan. The exit code is Jest's own: any miss fails the run. */
export default class TableReporter {
  onRunComplete(_contexts: unknown, { testResults, numPassedTests, numTotalTests }: Results): void {
    const plans = new Map<string, string[]>();
    for (const module of testResults.flatMap((file) => file.testResults)) {
      const plan = module.ancestorTitles[0] ?? '';
      plans.set(plan, [...(plans.get(plan) ?? []), ...linesOf(module)]);
    }
    const lines = [...plans].flatMap(([plan, modules]) => ['', plan, ...modules]);
    for (const { testExecError, failureMessage } of testResults) {
      if (testExecError) lines.push('', String(failureMessage));
    }
    process.stdout.write(`${lines.join('\n')}\n\n${numPassedTests} of ${numTotalTests} modules passed\n`);
  }
}

const linesOf = ({ status, title, duration, failureMessages }: Module): string[] => [
  `  ${status.toUpperCase().padEnd(8)} ${title.padEnd(95)} ${String(duration ?? 0).padStart(6)} ms`,
  ...failureMessages,
];
