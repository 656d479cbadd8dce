import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { temporaryFolder } from './harness.ts';

/** A server on the internet, as far as ours can tell: https on this machine, with a certificate of its own. */
export type HttpsServer = {
  url: string;
  /** For NODE_EXTRA_CA_CERTS of the process that is to trust it. */
  certificateFile: string;
  /** The paths that were asked for. */
  asked: string[];
  answer(listener: RequestListener): void;
  close(): Promise<void>;
};

export async function startHttpsServer(): Promise<HttpsServer> {
  const folder = temporaryFolder('https');
  const keyFile = path.join(folder, 'key.pem');
  const certificateFile = path.join(folder, 'certificate.pem');
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const subject = ['-subj', '/CN=localhost', '-addext', names, '-days', '2', '-nodes'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...subject, ...files],
    {
      stdio: 'ignore',
    },
  );
  let listener: RequestListener = (_req, res) => res.writeHead(404).end();
  const asked: string[] = [];
  const server = createServer(
    { key: readFileSync(keyFile), cert: readFileSync(certificateFile) },
    (req, res) => {
      asked.push(req.url ?? '');
      listener(req, res);
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    certificateFile,
    asked,
    answer: (next) => {
      listener = next;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
