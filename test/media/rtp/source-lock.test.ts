import { describe, expect, it } from '@jest/globals';
import { REBIND_SILENCE, SourceLock, TAKEOVER_SILENCE } from '../../../media/rtp/source-lock.ts';

const SDP = ['192.0.2.1', 4000] as const;
const NAT = ['198.51.100.7', 61_000] as const;
const OTHER = ['203.0.113.9', 7000] as const;

function lockedTo(address: readonly [string, number]): SourceLock {
  const lock = new SourceLock();
  lock.signal(...SDP);
  lock.accepts(...address, 1, 99, 0);
  expect(lock.accepts(...address, 1, 100, 0)).toBe(true);
  expect([lock.address, lock.port, lock.locked]).toEqual([...address, true]);

  return lock;
}

describe('symmetric RTP (RFC 4961) with a source lock', () => {
  it('sends to the address of the SDP before anything came', () => {
    const lock = new SourceLock();
    lock.signal(...SDP);
    expect([lock.address, lock.port, lock.locked]).toEqual([...SDP, false]);
  });

  it('believes the address of the SDP at once, another after two packets in sequence', () => {
    const lock = new SourceLock();
    lock.signal(...SDP);
    expect(lock.accepts(...NAT, 1, 10, 0)).toBe(false);
    expect(lock.accepts(...OTHER, 2, 10, 0)).toBe(false);
    expect(lock.accepts(...NAT, 1, 11, 0)).toBe(false);
    expect(lock.accepts(...NAT, 1, 12, 0)).toBe(true);
    expect(lock.address).toBe(NAT[0]);
    expect(lockedTo(SDP).moves).toBe(0);
  });

  it('does not hear a sprayer while the source talks', () => {
    const lock = lockedTo(NAT);
    for (let i = 0; i < 1000; i++) {
      const now = i * 20;
      for (let j = 0; j < 10; j++) expect(lock.accepts(...OTHER, 5, i * 10 + j, now)).toBe(false);
      expect(lock.accepts(...NAT, 1, 101 + i, now)).toBe(true);
    }
    expect(lock.moves).toBe(0);
  });

  it('follows the same stream to another address after a short silence, also under spray', () => {
    const lock = lockedTo(SDP);
    expect(lock.accepts(...NAT, 1, 101, REBIND_SILENCE - 1)).toBe(false);
    expect(lock.accepts(...OTHER, 9, 5, REBIND_SILENCE)).toBe(false);
    expect(lock.accepts(...OTHER, 9, 6, REBIND_SILENCE)).toBe(false);
    expect(lock.accepts(...NAT, 1, 112, REBIND_SILENCE)).toBe(true);
    expect(lock.moves).toBe(1);
    expect(REBIND_SILENCE).toBeLessThan(1000);
  });

  it('lets another stream in only after a long silence', () => {
    const lock = lockedTo(NAT);
    expect(lock.accepts(...OTHER, 5, 1, TAKEOVER_SILENCE - 1)).toBe(false);
    expect(lock.accepts(...OTHER, 5, 2, TAKEOVER_SILENCE)).toBe(false);
    expect(lock.accepts(...OTHER, 5, 3, TAKEOVER_SILENCE)).toBe(true);
  });

  it('comes back to the address of the SDP when two packets in sequence come from there', () => {
    const lock = lockedTo(NAT);
    expect(lock.accepts(...SDP, 7, 1, 10)).toBe(false);
    expect(lock.accepts(...SDP, 7, 2, 30)).toBe(true);
    expect(lock.accepts(...NAT, 1, 101, 40)).toBe(false);
  });

  it('is released by another address in the SDP, not by the same one again', () => {
    const lock = lockedTo(NAT);
    lock.signal(...SDP);
    expect(lock.address).toBe(NAT[0]);
    lock.signal(...OTHER);
    expect([lock.address, lock.port, lock.locked]).toEqual([...OTHER, false]);
    expect(lock.accepts(...OTHER, 3, 1, 0)).toBe(true);
  });
});
