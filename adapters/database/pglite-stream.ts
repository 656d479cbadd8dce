import { Duplex } from 'node:stream';
import type { PGlite } from '@electric-sql/pglite';

const TERMINATE = 0x58; // 'X'

/**
 * What node-postgres sees as its socket, with PGlite behind it: the stock client, its types and its
 * errors then work unchanged. PGlite is one session for everybody, so each new "connection" first
 * ends whatever transaction an earlier one left open and forgets its settings; without that, the next
 * statement would silently join a transaction that nobody will commit.
 */
export class PgliteStream extends Duplex {
  readonly #db: PGlite;

  constructor(db: PGlite) {
    super();
    this.#db = db;
  }

  connect(): this {
    void this.#reset().then(
      () => this.emit('connect'),
      (error: Error) => this.destroy(error),
    );
    return this;
  }

  async #reset(): Promise<void> {
    await this.#db.exec('ROLLBACK');
    await this.#db.exec('DISCARD ALL');
  }

  override _read(): void {
    // Answers are pushed as they come.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#send(chunk).then(() => done(), done);
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    void this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => done(), done);
  }

  /** Passes a run of protocol messages on. Terminate is swallowed: it would end the only session there is. */
  async #send(messages: Buffer): Promise<void> {
    if (messages[0] === TERMINATE) {
      this.push(null);
      return;
    }
    const answer = await this.#db.runExclusive(() => this.#db.execProtocolRaw(messages));
    if (answer.length > 0) this.push(Buffer.from(answer));
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  // The parts of net.Socket that node-postgres calls.
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
