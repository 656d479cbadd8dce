import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { SafeFetch, SafeFetchAnswer } from '../kernel/safe-fetch.ts';
import { SafeFetchError } from '../kernel/safe-fetch.ts';
import { type ClientFields, ClientMetadataError, readClientMetadata } from './client-registration.ts';

const LONGEST_URL = 500;
const MOST_BYTES = 16 * 1024;
const SHORTEST_SECONDS = 60;
const DEFAULT_SECONDS = 3_600;
const LONGEST_SECONDS = 86_400;

export type MetadataDocumentDeps = {
  safeFetch: SafeFetch;
  clock: Clock;
  /** Our own origins, at which no app lives. */
  ownOrigins: readonly string[];
  store: {
    /** Until when the document that was read last is believed; undefined for an app that isn't known. */
    freshUntil(clientId: string): Promise<Date | undefined>;
    /** Keeps the app as the document says, new or changed. */
    save(clientId: string, fields: ClientFields, freshUntil: Date, now: Date): Promise<void>;
  };
};

/**
 * Client id metadata documents (draft-ietf-oauth-client-id-metadata-document): the client_id is the URL of a document that
 * says what a registration would. Reads it, unless it was read not long ago. Throws ClientMetadataError with the reason
 * when there is no app there that may ask for anything. `mayFetch` throws when nothing may be fetched now.
 */
export function createMetadataDocuments({ safeFetch, clock, ownOrigins, store }: MetadataDocumentDeps) {
  return async (clientId: string, mayFetch: () => Promise<void>): Promise<void> => {
    const fault = urlFault(clientId, ownOrigins);
    if (fault) throw new ClientMetadataError('invalid_client', fault);
    const now = clock();
    const freshUntil = await store.freshUntil(clientId);
    if (freshUntil && freshUntil > now) return;

    await mayFetch();
    const answer = await fetchDocument(safeFetch, clientId);
    const fields = readDocument(clientId, answer);
    const seconds = freshSeconds(answer.headers['cache-control']);
    await store.save(clientId, fields, new Date(now.getTime() + seconds * 1000), now);
  };
}

/** Of a URL in its one spelling: it is compared as a string from then on. */
function urlFault(clientId: string, ownOrigins: readonly string[]): string | undefined {
  const url = URL.parse(clientId);
  if (url?.protocol !== 'https:' || clientId.length > LONGEST_URL || /[^\x21-\x7e]/.test(clientId)) {
    return 'the client_id is no https URL';
  }
  if (url.href !== clientId || /%2e/i.test(url.pathname)) return 'the client_id is not in its normal form';
  if (url.pathname === '/') return 'the client_id has no path';
  if (url.hash !== '' || url.username !== '' || url.password !== '') {
    return 'the client_id holds a fragment or a user name';
  }
  return ownOrigins.includes(url.origin) ? 'the client_id is a URL of this server' : undefined;
}

async function fetchDocument(safeFetch: SafeFetch, clientId: string): Promise<SafeFetchAnswer> {
  let answer: SafeFetchAnswer;
  try {
    const headers = { Accept: 'application/json' };
    answer = await safeFetch(clientId, { headers, timeoutMs: 5_000, maxBytes: MOST_BYTES });
  } catch (error) {
    const reason = error instanceof SafeFetchError ? ` (${error.reason})` : '';
    throw new ClientMetadataError('invalid_client', `the document could not be fetched${reason}`);
  }
  if (answer.status !== 200) {
    throw new ClientMetadataError('invalid_client', `the document was answered with ${answer.status}`);
  }
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(answer.headers['content-type'] ?? '')) {
    throw new ClientMetadataError('invalid_client', 'the document is not JSON by its media type');
  }
  return answer;
}

function readDocument(clientId: string, { body }: SafeFetchAnswer): ClientFields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new ClientMetadataError('invalid_client_metadata', 'the document is not JSON');
  }
  if ((value as { client_id?: unknown } | null)?.client_id !== clientId) {
    throw new ClientMetadataError('invalid_client_metadata', 'the document names another client_id');
  }
  return readClientMetadata(value, { from: 'document' });
}

/** RFC 9111 §5.2.2, within bounds: neither asked for at each request, nor believed for weeks. */
function freshSeconds(cacheControl = ''): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return SHORTEST_SECONDS;
  const maxAge = /\bmax-age=(\d{1,9})/i.exec(cacheControl)?.[1];
  const seconds = maxAge === undefined ? DEFAULT_SECONDS : Number(maxAge);
  return Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, seconds));
}

/** The same for who asks in a browser: with the reason as an error that may be shown. */
export const tellingWhy =
  (read: ReturnType<typeof createMetadataDocuments>): ReturnType<typeof createMetadataDocuments> =>
  async (clientId, mayFetch) => {
    try {
      await read(clientId, mayFetch);
    } catch (error) {
      if (!(error instanceof ClientMetadataError)) throw error;
      throw new AppError('bad_request', `This app can not be used: ${error.message}.`, {}, { cause: error });
    }
  };
