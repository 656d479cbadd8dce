/** A request to a URL that a stranger chose. */
export type SafeFetchOptions = {
  /** Default GET. */
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** For everything together: name lookup, connecting, and the whole answer. */
  timeoutMs: number;
  /** Of the answer's body. */
  maxBytes: number;
  /** What happens to a body that is longer: the request fails (the default), or the rest is not read. */
  longBody?: 'fail' | 'cut';
  /** Ends it early, as unreachable. */
  signal?: AbortSignal;
};

export type SafeFetchAnswer = {
  status: number;
  /** Lower-case names; of a header that was sent several times, the values joined by ", ". */
  headers: Record<string, string>;
  body: Buffer;
};

/**
 * Fetches a URL that a stranger chose, and never from inside the operator's network: https only, no user name in the
 * URL, and the address that is connected to is the one that was found public. Redirects are not followed: a 3xx
 * is an answer like others. Throws SafeFetchError when there is none.
 */
export type SafeFetch = (url: string, options: SafeFetchOptions) => Promise<SafeFetchAnswer>;

/** refused: this URL is not fetched, whatever answers there. */
export type SafeFetchFailure = 'refused' | 'unreachable' | 'timeout' | 'too_large';

/** Why there is no answer. The message may be shown to whoever gave the URL. */
export class SafeFetchError extends Error {
  override readonly name = 'SafeFetchError';
  readonly reason: SafeFetchFailure;

  constructor(reason: SafeFetchFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
