import { describe, test } from '@jest/globals';
import { isAvailable, leftOutMark, requireAll, SERVICES, type Service } from './services.ts';

/** Runs the suite if the machine has the service; else leaves it out, and the run's last lines say so. */
export function describeWith(service: Service, name: string, suite: () => void): void {
  const { title, install } = SERVICES[service];
  if (isAvailable(service)) {
    describe(name, suite);
  } else if (requireAll()) {
    describe(name, () => {
      test(`${title} is installed, as REQUIRE_ALL demands`, () => {
        throw new Error(`${title} is missing: ${install}`);
      });
    });
  } else {
    describe.skip(`${name} ${leftOutMark(service)}`, suite);
  }
}
