import { describe, expect, it } from '@jest/globals';
import {
  formatNameAddr,
  formatVia,
  isSipUri,
  makeSipUri,
  parseCSeq,
  parseHostPort,
  parseNameAddr,
  parseUri,
  parseVia,
  uriEquals,
  type SipUri,
} from '../../../../signaling/sip/message/index.ts';

function sip(text: string): SipUri {
  const uri = parseUri(text);
  if (uri === undefined || !isSipUri(uri)) throw new Error(`not a SIP URI: ${text}`);

  return uri;
}

function equal(a: string, b: string): boolean {
  return uriEquals(parseUri(a)!, parseUri(b)!);
}

describe('URIs', () => {
  it('reads every part, unescaped once', () => {
    const uri = sip('sips:j%40x:p%3aw@Example.COM:5071;transport=TCP;%6C%72;a=%2541?Subject=x&b=c');
    expect(uri).toMatchObject({
      scheme: 'sips',
      user: 'j@x',
      password: 'p:w',
      host: 'example.com',
      port: 5071,
      headers: 'Subject=x&b=c',
    });
    expect([...uri.params]).toEqual([
      ['transport', 'TCP'],
      ['lr', undefined],
      ['a', '%41'],
    ]);
  });

  it('a user part may hold parameters and slashes', () => {
    expect(sip('sip:user;par=u%40example.net@example.com').user).toBe('user;par=u@example.net');
    expect(sip("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com").host).toBe(
      'example.com',
    );
  });

  it('IPv6 literals lose their brackets inside and get them back', () => {
    expect(sip('sip:a@[2001:DB8::10]:5070')).toMatchObject({ host: '2001:db8::10', port: 5070 });
    expect(sip('sip:[2001:db8::10:5070]')).toMatchObject({
      host: '2001:db8::10:5070',
      port: undefined,
    });
    expect(makeSipUri({ user: 'a', host: '2001:db8::10', port: 5070 }).text).toBe(
      'sip:a@[2001:db8::10]:5070',
    );
    expect(parseUri('sip:2001:db8::10')).toBeUndefined();
  });

  it('a parameter that comes twice counts once (baresip writes ;transport=udp;transport=udp)', () => {
    expect(sip('sip:a@b;transport=udp;transport=tcp;;lr').params.get('transport')).toBe('udp');
  });

  it.each([
    '',
    'sip:',
    'sip:@host',
    'sip:a@',
    'sip:a@b:99999',
    'sip:a b@c',
    '<sip:a@b>',
    'nocolon',
    'sip:a@b@c',
    'sip:a@b c',
  ])('refuses %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  it('knows tel and leaves other schemes alone', () => {
    expect(parseUri('tel:+1-201-555;phone-context=x')).toMatchObject({
      scheme: 'tel',
      number: '+1-201-555',
    });
    expect(parseUri('soap.beep://192.0.2.103:3002')).toMatchObject({
      scheme: 'other',
      schemeName: 'soap.beep',
    });
  });

  it('3261-19.1.4-a equal URIs of the RFC', () => {
    expect(
      equal('sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'),
    ).toBe(true);
    expect(equal('sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5')).toBe(true);
    expect(equal('sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5')).toBe(
      true,
    );
    expect(
      equal(
        'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
        'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
      ),
    ).toBe(true);
    expect(
      equal(
        'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
        'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
      ),
    ).toBe(true);
  });

  it('3261-19.1.4-a unequal URIs of the RFC', () => {
    const pairs = [
      ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
      ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
      ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
      ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
      ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
      ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
      ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ] as const;
    for (const [a, b] of pairs) expect(equal(a, b)).toBe(false);
  });

  it.each(['user=phone', 'ttl=15', 'method=INVITE', 'maddr=239.255.255.1', 'transport=tcp'])(
    '3261-19.1.4-a ;%s has to be in both, and the same',
    (param) => {
      const uri = 'sip:alice@atlanta.com';
      expect(equal(`${uri};${param}`, uri)).toBe(false);
      expect(equal(uri, `${uri};${param}`)).toBe(false);
      expect(equal(`${uri};${param}`, `${uri};${param}x`)).toBe(false);
      expect(equal(`${uri};${param};a=b`, `${uri};c=d;${param.toUpperCase()}`)).toBe(true);
    },
  );

  it('3261-19.1.4-a the user part is case-sensitive, the host is not, nor is the scheme', () => {
    expect(equal('sip:Alice@atlanta.com', 'sip:alice@atlanta.com')).toBe(false);
    expect(equal('sip:alice:Pw@atlanta.com', 'sip:alice:pw@atlanta.com')).toBe(false);
    expect(equal('SIP:alice@ATLANTA.com', 'sip:alice@atlanta.COM')).toBe(true);
    expect(equal('sips:alice@atlanta.com', 'sip:alice@atlanta.com')).toBe(false);
  });

  it('what we write is read back the same', () => {
    const uri = makeSipUri({
      user: 'a b@c;d',
      host: 'EXAMPLE.com',
      params: { transport: 'tcp', lr: undefined },
    });
    expect(uri.text).toBe('sip:a%20b%40c;d@example.com;transport=tcp;lr');
    expect(sip(uri.text)).toEqual({ ...uri });
  });
});

describe('name-addr', () => {
  it('reads display names quoted, bare, absent, and without a blank before "<"', () => {
    expect(parseNameAddr('"J \\"R\\" \\\\" <sip:a@b>;tag=1')).toMatchObject({
      displayName: 'J "R" \\',
    });
    expect(parseNameAddr('Anna Lena <sip:a@b>')).toMatchObject({ displayName: 'Anna Lena' });
    expect(parseNameAddr('caller<sip:a@b>;tag=323')).toMatchObject({ displayName: 'caller' });
    expect(parseNameAddr('<sip:a@b>')?.displayName).toBeUndefined();
  });

  it.each([
    '"Mr. J. User <sip:a@b>',
    'Bell, Alexander <sip:a@b>',
    '"x" < sip:a@b >',
    '<sip:a@b>;,',
    '<sip:a@b',
    'x',
  ])('refuses %j', (text) => {
    expect(parseNameAddr(text)).toBeUndefined();
  });

  it.each([
    'sip:bob,jr@example.com',
    'sip:bob@example.com?Subject=x',
    'sip:bob;ext@example.com',
    'sip:bob@example.com?a;tag=1',
  ])('8217-a a URI with a comma, question mark or semicolon is none without <>: %s', (uri) => {
    expect(parseNameAddr(uri)).toBeUndefined();
    const enclosed = parseNameAddr(`<${uri}>;tag=2`);
    expect(enclosed?.uri.text).toBe(uri);
    expect([...enclosed!.params]).toEqual([['tag', '2']]);
    expect(formatNameAddr(enclosed!)).toBe(`<${uri}>;tag=2`);
  });

  it('8217-a without <> parameters are those of the header, and we write them so', () => {
    const value = parseNameAddr('sip:bob@example.com;transport=tcp')!;
    expect(value.uri.text).toBe('sip:bob@example.com');
    expect(value.params.get('transport')).toBe('tcp');
    expect(formatNameAddr(value)).toBe('<sip:bob@example.com>;transport=tcp');
  });

  it('empty parameters are passed over', () => {
    expect([...parseNameAddr('<sip:a@b>;;tag=1; ;')!.params]).toEqual([['tag', '1']]);
  });

  it('is written so that it can be read', () => {
    const value = parseNameAddr('"a\\"b" <sip:x@y;lr>;tag=1;note="c d";flag')!;
    expect(formatNameAddr(value)).toBe('"a\\"b" <sip:x@y;lr>;tag=1;note="c d";flag');
    expect(parseNameAddr(formatNameAddr(value))).toEqual(value);
  });
});

describe('Via and CSeq', () => {
  it('reads blanks around the slashes and the colon', () => {
    const via = parseVia(
      'SIP  / 2.0 /  UDP   First.example.com : 4000 ;ttl=16 ;branch = z9hG4bKa7c6',
    );
    expect(via).toMatchObject({ transport: 'UDP', host: 'first.example.com', port: 4000 });
    expect(via?.params.get('branch')).toBe('z9hG4bKa7c6');
  });

  it('writes IPv6 in brackets', () => {
    const via = parseVia('SIP/2.0/TCP [2001:db8::9]:5061;received=[2001:db8::1];branch=z9hG4bK1')!;
    expect(via.host).toBe('2001:db8::9');
    expect(formatVia(via)).toBe(
      'SIP/2.0/TCP [2001:db8::9]:5061;received=[2001:db8::1];branch=z9hG4bK1',
    );
  });

  it.each(['SIP/2.0/UDP', 'SIP/2.0 host', 'HTTP/1.1/TCP h', 'SIP/2.0/UDP h;=1', 'SIP/2.0/UDP h:x'])(
    'refuses %j',
    (text) => {
      expect(parseVia(text)).toBeUndefined();
    },
  );

  it('CSeq may have leading zeros and blanks', () => {
    expect(parseCSeq('0009 \t INVITE')).toEqual({ sequence: 9, method: 'INVITE' });
  });

  it('hosts and ports', () => {
    expect(parseHostPort('h_1.example:5060')).toEqual({ host: 'h_1.example', port: 5060 });
    for (const bad of ['', 'a:b', '[::1', '[zz]', 'a/b', '[::1]x', 'h:70000'])
      expect(parseHostPort(bad)).toBeUndefined();
  });
});
