import { describe, expect, it } from '@jest/globals';
import { buildResponse, newBranch, newTag } from '../../../../signaling/sip/message/index.ts';
import {
  anInvite,
  aRequest,
  parsedRequest,
  received,
  SOME_SDP,
  textOf,
} from '../../../support/message-builder.ts';

describe('responses', () => {
  const invite = received(
    anInvite({
      headers: [
        ['Timestamp', '5'],
        ['Record-Route', '<sip:p1;lr>'],
        ['Record-Route', '<sip:p2;lr>'],
      ],
    }),
  );
  invite.headers.append('Via', 'SIP/2.0/UDP p2.example;branch=z9hG4bK2');

  it('3261-8.2.6.2-a copy Via in order, From, Call-ID, CSeq, and add a To tag', () => {
    const response = buildResponse(invite, 486);
    expect(response.headers.getAll('via')).toEqual(invite.headers.getAll('via'));
    for (const name of ['from', 'call-id', 'cseq']) {
      expect(response.headers.get(name)).toBe(invite.headers.get(name));
    }
    expect(response.reason).toBe('Busy Here');
    expect(response.toTag).toMatch(/^[\w-]{16}$/);
  });

  it('3261-8.2.6.2-a the same tag on every response to a request, none on 100', () => {
    expect(buildResponse(invite, 180).toTag).toBe(buildResponse(invite, 200).toTag);
    expect(buildResponse(invite, 100).toTag).toBeUndefined();
    expect(buildResponse(invite, 180, { toTag: 'mine' }).toTag).toBe('mine');
    const within = received(anInvite({ to: '<sip:100@parley.example>;tag=old' }));
    expect(buildResponse(within, 200, { toTag: 'mine' }).toTag).toBe('old');
  });

  it('3261-8.2.7-a another request gets another tag', () => {
    const other = received(anInvite({ callId: 'other' }));
    expect(buildResponse(invite, 200).toTag).not.toBe(buildResponse(other, 200).toTag);
  });

  it('3261-12.1.1-a Record-Route comes back in what makes a dialog, Timestamp in 100', () => {
    expect(buildResponse(invite, 200).headers.getAll('record-route')).toEqual([
      '<sip:p1;lr>',
      '<sip:p2;lr>',
    ]);
    expect(buildResponse(invite, 404).headers.has('record-route')).toBe(false);
    expect(buildResponse(invite, 100).headers.get('timestamp')).toBe('5');
  });
});

describe('requests', () => {
  it('carry what RFC 3261 8.1.1 asks for', () => {
    const request = aRequest('BYE', { routes: ['<sip:p1;lr>'], body: SOME_SDP });
    expect(request.maxForwards).toBe(70);
    const copy = parsedRequest(textOf(received(request)));
    expect(copy.routes[0]?.uri.text).toBe('sip:p1;lr');
    expect(copy.contentType?.type).toBe('application/sdp');
    expect(copy.cseq).toEqual({ sequence: 1, method: 'BYE' });
  });

  it('3261-19.3-a a To tag has 32 random bits at least, and is not the From tag', () => {
    // Of base64url, as the alphabet shows, each character holds 6 bits.
    expect(newTag()).toMatch(/^[\w-]{6,}$/);
    const invite = received(anInvite({ from: `<sip:a@b>;tag=${newTag()}` }));
    const tags = Array.from({ length: 100 }, (_, i) => {
      const copy = received(anInvite({ callId: `c${String(i)}` }));

      return buildResponse(copy, 200).toTag!;
    });
    expect(new Set([...tags, invite.fromTag]).size).toBe(101);
    for (const tag of tags) expect(tag).toMatch(/^[\w-]{6,}$/);
    expect(buildResponse(invite, 200).toTag).not.toBe(invite.fromTag);
  });

  it('3261-19.3-a and 8.1.1.7-a tags and branches are unique', () => {
    const branches = new Set(Array.from({ length: 1000 }, newBranch));
    const tags = new Set(Array.from({ length: 1000 }, newTag));
    expect([branches.size, tags.size]).toEqual([1000, 1000]);
    for (const branch of branches) expect(branch.startsWith('z9hG4bK')).toBe(true);
  });
});
