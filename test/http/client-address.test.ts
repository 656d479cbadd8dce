import { describe, expect, test } from '@jest/globals';
import { clientAddress } from '../../src/http/client.ts';
import { networkMatcher, parseAddress } from '../../src/kernel/addresses.ts';

describe('parseAddress', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1 ', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['0300.0.2.1', undefined],
    ['127.1', undefined],
    ['0x7f000001', undefined],
    ['2130706433', undefined],
    ['unknown', undefined],
    ['_hidden', undefined],
    ['192.0.2.1, 10.0.0.1', undefined],
    ['', undefined],
    ['192.0.2.256', undefined],
    ["192.0.2.1'--", undefined],
  ])('reads %j as %j', (text, address) => {
    expect(parseAddress(text)).toBe(address);
  });
});

describe('networkMatcher', () => {
  const isTrusted = networkMatcher(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::ffff:172.16.0.0/108']);
  test.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['2001:db8:1::1', true],
    ['2001:db9::1', false],
    ['172.17.0.1', true],
    ['', false],
    ['not an address', false],
  ])('%s is in one of the networks: %s', (address, answer) => {
    expect(isTrusted(address)).toBe(answer);
  });
});

describe('clientAddress', () => {
  const isTrusted = networkMatcher(['10.0.0.0/8']);

  test('believes nothing of a peer that is not a trusted proxy', () => {
    expect(clientAddress('198.51.100.1', ['192.0.2.1'], isTrusted)).toBe('198.51.100.1');
  });

  test('takes the first address from the right that is no trusted proxy, never the leftmost', () => {
    expect(clientAddress('10.0.0.1', ['192.0.2.66', '198.51.100.1', '10.0.0.2'], isTrusted)).toBe(
      '198.51.100.1',
    );
  });

  test('stops at the last proxy it knows when an entry is no address', () => {
    expect(clientAddress('10.0.0.1', ['198.51.100.1', 'unknown', '10.0.0.2'], isTrusted)).toBe('10.0.0.2');
    expect(clientAddress('10.0.0.1', ['127.1'], isTrusted)).toBe('10.0.0.1');
  });

  test('ends with the leftmost when all are trusted', () => {
    expect(clientAddress('10.0.0.1', ['10.0.0.3', '10.0.0.2'], isTrusted)).toBe('10.0.0.3');
  });

  test('unmaps and strips ports and brackets before it compares', () => {
    expect(clientAddress('10.0.0.1', ['[2001:db8::1]:99', '::ffff:10.0.0.9'], isTrusted)).toBe('2001:db8::1');
  });
});
