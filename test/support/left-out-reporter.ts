import { leftOutMark, SERVICES, type Service } from './services.ts';

/** The part of Jest's results that is read here. */
type Results = { testResults: { testResults: { status: string; ancestorTitles: string[] }[] }[] };

/** Says at the end which tests were left out, and what to install to run them. */
export default class LeftOutReporter {
  onRunComplete(_contexts: unknown, results: Results): void {
    const pending = results.testResults
      .flatMap((file) => file.testResults)
      .filter(({ status }) => status === 'pending');
    for (const service of Object.keys(SERVICES) as Service[]) {
      const count = pending.filter(({ ancestorTitles }) =>
        ancestorTitles.some((title) => title.endsWith(leftOutMark(service))),
      ).length;
      if (count === 0) continue;
      const { title, install } = SERVICES[service];
      console.error(
        `Left out: ${count} ${count === 1 ? 'test that needs' : 'tests that need'} ${title} (${install})`,
      );
    }
  }
}
