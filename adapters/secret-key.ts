import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The development secret key: made on the first start and kept in `dataDir/secret-key`, readable by its owner
 * alone. Without it the signing keys in the database can't be opened again.
 */
export function developmentSecretKey(dataDir: string): Buffer {
  const file = path.join(dataDir, 'secret-key');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, randomBytes(32).toString('base64'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32)
    throw new Error(`${file} does not hold a key of 32 bytes: restore it, or set SECRET_KEY`);
  return key;
}
