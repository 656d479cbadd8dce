import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { WEBHOOK_EVENTS } from '../../config/webhook-events.ts';

const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/webhooks.md');

test('docs/webhooks.md lists every event, in the words of the table itself', () => {
  const rows = readFileSync(DOCUMENT, 'utf8').match(/^\| `[a-z_]+\.[a-z_]+` \| .* \|$/gm);
  expect(rows).toEqual(
    Object.entries(WEBHOOK_EVENTS).map(([type, meaning]) => `| \`${type}\` | ${meaning} |`),
  );
});
