import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { parseAddress } from '../kernel/addresses.ts';

/** Who sent a request and how it reached us, as far as proxies that we trust say. */
export type Client = {
  /** Canonical; "" when the socket has none (it is closed already). */
  ip: string;
  protocol: 'http' | 'https';
};

/**
 * The sender of the request. Only X-Forwarded-For and X-Forwarded-Proto of a trusted proxy are believed.
 * Addresses are walked from the right, the last proxy first, and the first one that isn't trusted is the client:
 * what stands left of it was written by the client itself, and may be anything.
 */
export function readClient(req: IncomingMessage, isTrusted: (address: string) => boolean): Client {
  const peer = peerOf(req.socket);
  const fromProxy = isTrusted(peer);
  return {
    ip: fromProxy ? clientAddress(peer, headerList(req, 'x-forwarded-for'), isTrusted) : peer,
    protocol: isSecure(req, fromProxy) ? 'https' : 'http',
  };
}

const PEER = Symbol('peer');

/** A connection has one peer for all of its requests. */
function peerOf(socket: Socket & { [PEER]?: string }): string {
  socket[PEER] ||= parseAddress(socket.remoteAddress ?? '') ?? '';
  return socket[PEER];
}

/** `forwardedFor`: as it came, leftmost first. What can't be read as an address ends the walk at the proxy that sent it. */
export function clientAddress(
  peer: string,
  forwardedFor: readonly string[],
  isTrusted: (address: string) => boolean,
): string {
  let address = peer;
  for (const entry of forwardedFor.toReversed()) {
    if (!isTrusted(address)) break;
    const next = parseAddress(entry);
    if (next === undefined) break;
    address = next;
  }
  return address;
}

/** Over several hops, each has to have been TLS. */
function isSecure(req: IncomingMessage, fromProxy: boolean): boolean {
  if ((req.socket as Partial<TLSSocket>).encrypted) return true;
  const protocols = fromProxy ? headerList(req, 'x-forwarded-proto') : [];
  return protocols.length > 0 && protocols.every((protocol) => protocol.toLowerCase() === 'https');
}

function headerList(req: IncomingMessage, name: string): string[] {
  return [req.headers[name] ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
}
