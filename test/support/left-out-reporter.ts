import { leftOutMark, SERVICES, type Service } from './services.ts';

/** The part of Jest's results that is read here. */
type Results = { testResults: { testResults: { status: string; ancestorTitles: string[] }[] }[] };

/** Says at the very end, below Jest's summary, which tests were left out and what to install to run them. */
export default class LeftOutReporter {
  onRunComplete(_contexts: unknown, results: Results): void {
    const pending = results.testResults
      .flatMap((file) => file.testResults)
      .filter(({ status }) => status === 'pending');
    const lines = (Object.keys(SERVICES) as Service[]).flatMap((service) => {
      const count = pending.filter(({ ancestorTitles }) =>
        ancestorTitles.some((title) => title.endsWith(leftOutMark(service))),
      ).length;
      const { title, install } = SERVICES[service];
      const tests = count === 1 ? 'test that needs' : 'tests that need';
      return count === 0 ? [] : [`Left out: ${count} ${tests} ${title} (${install})`];
    });
    process.once('exit', () => {
      for (const line of lines) console.error(line);
    });
  }
}
