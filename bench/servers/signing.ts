import { generateKeyPairSync, sign } from 'node:crypto';

/** RSA-2048 signing and nothing else, for so many seconds: prints how often a second it was done. */
const seconds = Number(process.argv[2]);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const claims = Buffer.from('x'.repeat(400));
const startedMs = performance.now();
let count = 0;
for (; performance.now() - startedMs < seconds * 1000; count++) sign('sha256', claims, privateKey);
process.stdout.write(String(count / ((performance.now() - startedMs) / 1000)));
