/** The part of Jest's results that is read here. */
type Results = {
  testResults: {
    testResults: {
      status: string;
      title: string;
      ancestorTitles: string[];
      duration?: number | null;
      failureMessages: string[];
    }[];
  }[];
  numPassedTests: number;
  numTotalTests: number;
};

/** Prints one line a module of the certification plans. The exit code is Jest's own: any miss fails the run. */
export default class TableReporter {
  onRunComplete(_contexts: unknown, { testResults, numPassedTests, numTotalTests }: Results): void {
    const lines: string[] = [];
    for (const { testResults: modules } of testResults) {
      lines.push('', modules[0]?.ancestorTitles[0] ?? '');
      for (const { title, status, duration, failureMessages } of modules) {
        lines.push(
          `  ${status.toUpperCase().padEnd(8)} ${title.padEnd(90)} ${String(duration ?? 0).padStart(6)} ms`,
          ...failureMessages,
        );
      }
    }
    process.stdout.write(`${lines.join('\n')}\n\n${numPassedTests} of ${numTotalTests} modules passed\n`);
  }
}
