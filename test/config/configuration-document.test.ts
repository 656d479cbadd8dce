import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { SETTINGS, type SettingName } from '../../config/settings.ts';

const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/configuration.md');

test('docs/configuration.md describes every setting, in the words of the settings themselves', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    expect(text).toContain(`| \`${name}\` | ${SETTINGS[name].description} |`);
  }
});
