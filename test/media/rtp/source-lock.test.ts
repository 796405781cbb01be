import { describe, expect, it } from '@jest/globals';
import {
  REBIND_SILENCE,
  SourceLock,
  STRANGER_WAIT,
  TAKEOVER_SILENCE,
} from '../../../media/rtp/source-lock.ts';

const SDP = ['192.0.2.1', 4000] as const;
const NAT = ['198.51.100.7', 61_000] as const;
const OTHER = ['203.0.113.9', 7000] as const;

/** A phone that was heard from there at 0 ms, its SDP having come well before. */
function lockedTo(address: readonly [string, number], signallingHost?: string): SourceLock {
  const lock = new SourceLock();
  lock.signal(...SDP, -STRANGER_WAIT, signallingHost);
  lock.accepts(...address, 1, 99, 0);
  expect(lock.accepts(...address, 1, 100, 0)).toBe(true);
  expect([lock.address, lock.port, lock.locked]).toEqual([...address, true]);

  return lock;
}

describe('symmetric RTP (RFC 4961) with a source lock', () => {
  it('sends to the address of the SDP before anything came', () => {
    const lock = new SourceLock();
    lock.signal(...SDP, 0);
    expect([lock.address, lock.port, lock.locked]).toEqual([...SDP, false]);
  });

  it('believes the address of the SDP at once', () => {
    const lock = new SourceLock();
    lock.signal(...SDP, 0);
    expect(lock.accepts(...SDP, 1, 10, 0)).toBe(true);
    expect(lock.moves).toBe(0);
  });

  it('believes the host of the signalling after two packets in sequence, sprayed at or not', () => {
    const lock = new SourceLock();
    lock.signal(...SDP, 0, NAT[0]);
    expect(lock.accepts(...NAT, 1, 10, 0)).toBe(false);
    for (let i = 0; i < 10; i++) expect(lock.accepts(OTHER[0], 7000 + i, 2, 10 + i, 0)).toBe(false);
    expect(lock.accepts(...NAT, 1, 11, 0)).toBe(true);
    expect(lock.address).toBe(NAT[0]);
  });

  it('waits for the phone before it hears somebody whom no signalling named', () => {
    const lock = new SourceLock();
    lock.signal(...SDP, 0, SDP[0]);
    expect(lock.accepts(...OTHER, 1, 10, STRANGER_WAIT - 1)).toBe(false);
    expect(lock.accepts(...OTHER, 1, 11, STRANGER_WAIT - 1)).toBe(false);
    expect(lock.accepts(...OTHER, 1, 12, STRANGER_WAIT)).toBe(false);
    expect(lock.accepts(...OTHER, 1, 13, STRANGER_WAIT)).toBe(true);
    // It was an attacker: the phone itself comes, and is not interrupted any more.
    expect(lock.accepts(...SDP, 2, 500, STRANGER_WAIT + 20)).toBe(false);
    expect(lock.accepts(...OTHER, 1, 14, STRANGER_WAIT + 30)).toBe(true);
    expect(lock.accepts(...SDP, 2, 501, STRANGER_WAIT + 40)).toBe(true);
    for (let i = 0; i < 500; i++) {
      expect(lock.accepts(...OTHER, 1, 15 + i, STRANGER_WAIT + 50 + 20 * i)).toBe(false);
    }
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

  it('does not hear a sprayer while the phone is silent, on hold say, however long', () => {
    const lock = lockedTo(SDP);
    for (let i = 0; i < 3000; i++) expect(lock.accepts(...OTHER, 5, i, i * 20)).toBe(false);
    expect(lock.accepts(...SDP, 1, 101, 60_000)).toBe(true);
  });

  it('does not hear a sprayer in the gap that a re-INVITE to another address leaves', () => {
    const lock = lockedTo(SDP);
    lock.signal(...NAT, 1000);
    for (let i = 0; i < 50; i++) expect(lock.accepts(...OTHER, 5, i, 1000 + i)).toBe(false);
    expect(lock.accepts(...NAT, 1, 140, 1060)).toBe(true);
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

  it('lets another stream of the same host in only after a longer silence', () => {
    const lock = lockedTo(SDP);
    const restarted = [SDP[0], 5000] as const;
    expect(lock.accepts(...restarted, 5, 1, TAKEOVER_SILENCE - 1)).toBe(false);
    expect(lock.accepts(...restarted, 5, 2, TAKEOVER_SILENCE)).toBe(false);
    expect(lock.accepts(...restarted, 5, 3, TAKEOVER_SILENCE)).toBe(true);
    expect(TAKEOVER_SILENCE).toBeLessThan(1000);
  });

  it('comes back to the address of the SDP when two packets in sequence come from there', () => {
    const lock = lockedTo(NAT);
    expect(lock.accepts(...SDP, 7, 1, 10)).toBe(false);
    expect(lock.accepts(...SDP, 7, 2, 30)).toBe(true);
    expect(lock.accepts(...NAT, 1, 101, 40)).toBe(false);
  });

  it('is released by another address in the SDP, not by the same one again', () => {
    const lock = lockedTo(NAT);
    lock.signal(...SDP, 10);
    expect(lock.address).toBe(NAT[0]);
    lock.signal(...OTHER, 20);
    expect([lock.address, lock.port, lock.locked]).toEqual([...OTHER, false]);
    expect(lock.accepts(...OTHER, 3, 1, 20)).toBe(true);
  });

  it('is released when the signalling comes from another host, the SDP being that of a NAT', () => {
    const lock = lockedTo(NAT, NAT[0]);
    lock.signal(...SDP, 10, OTHER[0]);
    expect(lock.address).toBe(NAT[0]);
    lock.accepts(...OTHER, 3, 1, 20);
    expect(lock.accepts(...OTHER, 3, 2, 40)).toBe(true);
    expect(lock.address).toBe(OTHER[0]);
  });

  it('follows what is authentic at once, and not back to a packet that was overtaken', () => {
    const lock = lockedTo(SDP);
    expect(lock.acceptAuthentic(...NAT, 1, 102, 20)).toBe(true);
    expect(lock.acceptAuthentic(...SDP, 1, 101, 21)).toBe(true);
    expect([lock.address, lock.moves]).toEqual([NAT[0], 1]);
  });
});
