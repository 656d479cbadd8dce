import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isAllowedAddress, NOT_PUBLIC, readPublicUrl } from '../../src/kernel/public-url.ts';
import {
  type SafeFetch,
  type SafeFetchAnswer,
  SafeFetchError,
  type SafeFetchFailure,
  type SafeFetchOptions,
} from '../../src/kernel/safe-fetch.ts';
import { createDnsResolve, type Resolve } from './resolve.ts';

/**
 * See `SafeFetch`. The name is looked up once, by the `lookup` hook of the very socket that then connects to what the hook
 * answered: a name server that changes its answer in between changes nothing. One address that is not public is
 * enough to refuse a name.
 *
 * `allowLoopback`: for development and tests. Loopback may then be asked, by plain HTTP too; nothing else changes.
 */
export function createSafeFetch({
  allowLoopback,
  resolve = createDnsResolve(),
}: {
  allowLoopback: boolean;
  resolve?: Resolve;
}): SafeFetch {
  return async (target, options) => {
    const rules = { allowLoopback };
    const url = readPublicUrl(target, rules); // a host that is an address is never looked up: the hook would not see it
    if ('fault' in url) throw new SafeFetchError('refused', url.fault);
    const isAllowed = (address: string): boolean => isAllowedAddress(address, url.protocol, rules);

    // A timer of its own: AbortSignal.timeout would stay in memory for the whole time, also when the answer took a moment.
    const ending = new AbortController();
    const end = (reason: SafeFetchFailure, message: string) =>
      ending.abort(new SafeFetchError(reason, message));
    const timer = setTimeout(
      () => end('timeout', `No whole answer within ${options.timeoutMs} ms.`),
      options.timeoutMs,
    );
    const giveUp = () => end('unreachable', UNREACHABLE);
    if (options.signal?.aborted) giveUp();
    options.signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await exchange(url, options, {
        signal: ending.signal,
        lookup: checkedLookup(resolve, isAllowed),
      });
    } catch (error) {
      if (error instanceof SafeFetchError) throw error;
      throw new SafeFetchError('unreachable', UNREACHABLE, { cause: error });
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', giveUp);
    }
  };
}

const UNREACHABLE = 'The server could not be reached.';

const refusedAddress = (): SafeFetchError => new SafeFetchError('refused', NOT_PUBLIC);

/** Node's `lookup` hook, in both of its forms: all addresses, or one. */
function checkedLookup(resolve: Resolve, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => isAllowed(address))) callback(refusedAddress(), []);
        else if (all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

/**
 * One request and its answer, over a connection of its own: no pool, whose sockets would outlive the check. Settles at the
 * latest when the signal says so, whatever becomes of the streams.
 */
function exchange(
  url: URL,
  { method = 'GET', headers = {}, body, maxBytes, longBody = 'fail' }: SafeFetchOptions,
  socket: { signal: AbortSignal; lookup: LookupFunction },
): Promise<SafeFetchAnswer> {
  return new Promise((resolve, reject) => {
    const { signal } = socket;
    const end = () => reject(signal.reason as SafeFetchError);
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    const secure = url.protocol === 'https:';
    const sent: ClientRequest = (secure ? requestHttps : requestHttp)(url, {
      ...socket,
      agent: secure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false }),
      method,
      headers: {
        ...headers,
        'accept-encoding': 'identity', // what a few bytes unpack to would be bounded by nothing
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
    });
    sent.on('error', reject);
    // Without a listener Node drops the connection and says nothing: no error, no answer, no end.
    sent.on('upgrade', (answer, stream) => {
      stream.destroy();
      resolve({
        status: answer.statusCode ?? 0,
        headers: joinedHeaders(answer),
        body: Buffer.alloc(0),
      });
    });
    sent.on('response', (answer) => {
      readBody(answer, maxBytes, longBody).then(
        (bytes) => resolve({ status: answer.statusCode ?? 0, headers: joinedHeaders(answer), body: bytes }),
        reject,
      );
    });
    sent.end(body);
  });
}

async function readBody(
  answer: IncomingMessage,
  maxBytes: number,
  longBody: 'fail' | 'cut',
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= maxBytes) continue;
    answer.destroy();
    if (longBody === 'cut') break;
    throw new SafeFetchError('too_large', `The answer is longer than ${maxBytes} bytes.`);
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

const joinedHeaders = (answer: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(answer.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
  );
