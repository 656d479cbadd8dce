/** Where pages go. */
export type PageSink = {
  /** Takes the page over, and writes it when it can. */
  write(page: Buffer): void;
  /** Writes it, and all that was given before, before it returns: the process is about to end. */
  writeLast(page: Buffer): void;
};

export type LinePages = {
  write(line: string): boolean;
  /** Writes all that was gathered, before it returns: the process is about to end. */
  end(): void;
};

const PAGE_BYTES = 32_768;
const LONGEST_CHARACTER_BYTES = 3; // of UTF-8, for each UTF-16 unit

/**
 * Gathers lines as bytes and hands them on a page at a time, at the latest after `flushAfterMs`: to join them as strings
 * costs several times what it costs to make them. A kill -9 loses what has not been handed on.
 */
export function createLinePages(sink: PageSink, flushAfterMs: number): LinePages {
  let page = Buffer.allocUnsafe(PAGE_BYTES);
  let used = 0;

  const handOn = (): void => {
    if (used === 0) return;
    sink.write(page.subarray(0, used));
    page = Buffer.allocUnsafe(PAGE_BYTES);
    used = 0;
  };

  return {
    write: (line) => {
      const mostBytes = line.length * LONGEST_CHARACTER_BYTES;
      if (used + mostBytes > PAGE_BYTES) handOn();
      if (mostBytes > PAGE_BYTES) {
        sink.write(Buffer.from(line));
        return true;
      }
      if (used === 0) setTimeout(handOn, flushAfterMs).unref();
      used += page.write(line, used);
      return true;
    },
    end: () => {
      sink.writeLast(page.subarray(0, used));
      used = 0;
    },
  };
}
