import { type Browser, chromium } from 'playwright-core';
import { chromiumBinary } from './services.ts';

const FLAGS = [
  '--no-sandbox', // containers, and root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** The machine's Chromium, without a window. Use it inside `describeWith('chromium', …)` and close it. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumBinary();
  if (executablePath === undefined) throw new Error('Chromium is not installed');
  return await chromium.launch({ executablePath, args: FLAGS });
}
