/** Test vectors of RFC 3711 appendix B and RFC 7714 sections 16 and 17. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

/** Appendix B.3. */
export const DERIVATION = {
  key: hex('E1F97A0D3E018BE0D64FA32C06DE4139'),
  salt: hex('0EC675AD498AFEEBB6960B3AABE6'),
  cipherKey: 'c61e7a93744f39ee10734afe3ff7a087',
  cipherSalt: '30cbbc08863d8c85d49db34a9ae1',
  authKey: 'cebe321f6ff7716b6fd4ab49af256a156d38baa4',
};

/** Appendix B.2: the first blocks of the keystream of packet 0 of SSRC 0. */
export const KEYSTREAM = {
  key: hex('2B7E151628AED2A6ABF7158809CF4F3C'),
  salt: hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'),
  octets:
    'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
};

/** Sections 16 and 17: session key and salt, not master. */
export const GCM = {
  key128: hex('000102030405060708090a0b0c0d0e0f'),
  key256: hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
  salt: hex('517569642070726f2071756f'),
  rtp: hex(
    '8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976697361' +
      '20696e207061727465732074726573',
  ),
  rtp128:
    '8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b' +
    '36de3adf8833899d7f27beb16a9152cf765ee4390cce',
  rtp256:
    '8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f' +
    '1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
  rtcp: hex(
    '81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61' +
      'deadbeefdeadbeefdeadbeefdeadbeefdeadbeef',
  ),
  rtcpIndex: 0x5d4,
  rtcp128:
    '81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46' +
    '86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4',
  rtcp256:
    '81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658' +
    'c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4',
  rtcp128Clear:
    '81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61' +
    'deadbeefdeadbeefdeadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4',
};
