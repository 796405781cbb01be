/** The VoIP metrics report block of RTCP XR (RFC 3611 4.7). */

export interface VoipMetrics {
  /** Whom it is about. */
  ssrc: number;
  /** In 1/256. */
  lossRate: number;
  /** Arrived, but too late or too early to be played; in 1/256. */
  discardRate: number;
  burstDensity: number;
  gapDensity: number;
  /** Milliseconds, as all durations and delays. */
  burstDuration: number;
  gapDuration: number;
  roundTripDelay: number;
  endSystemDelay: number;
  /** dBm0. */
  signalLevel: number;
  noiseLevel: number;
  residualEchoReturnLoss: number;
  gmin: number;
  rFactor: number;
  extendedRFactor: number;
  /** In tenths. */
  mosLq: number;
  mosCq: number;
  receiverConfiguration: number;
  bufferNominal: number;
  bufferMaximum: number;
  bufferLimit: number;
}

/** "A value of 127 indicates that this parameter is unavailable" (4.7.3 to 4.7.5). */
export const UNAVAILABLE = 127;

const VOIP_METRICS = 7;
/** "length: 8", in 32-bit words after the block's header. */
const BLOCK_WORDS = 8;

/** Blocks of other kinds are left out. */
export function readExtendedReport(
  body: DataView,
): { type: 'XR'; ssrc: number; voipMetrics: VoipMetrics[] } | 'malformed' {
  if (body.byteLength < 4) return 'malformed';
  const voipMetrics: VoipMetrics[] = [];
  for (let at = 4; at < body.byteLength;) {
    if (at + 4 > body.byteLength) return 'malformed';
    const words = body.getUint16(at + 2);
    const end = at + 4 + 4 * words;
    if (end > body.byteLength) return 'malformed';
    if (body.getUint8(at) === VOIP_METRICS && words === BLOCK_WORDS) {
      voipMetrics.push(readVoipMetrics(body, at + 4));
    }
    at = end;
  }

  return { type: 'XR', ssrc: body.getUint32(0), voipMetrics };
}

/** Answers where the block ends; leaving `view` throws RangeError. */
export function writeVoipMetrics(view: DataView, start: number, metrics: VoipMetrics): number {
  view.setUint32(start, VOIP_METRICS * 0x1000000 + BLOCK_WORDS);
  const at = start + 4;
  view.setUint32(at, metrics.ssrc);
  view.setUint8(at + 4, metrics.lossRate);
  view.setUint8(at + 5, metrics.discardRate);
  view.setUint8(at + 6, metrics.burstDensity);
  view.setUint8(at + 7, metrics.gapDensity);
  view.setUint16(at + 8, metrics.burstDuration);
  view.setUint16(at + 10, metrics.gapDuration);
  view.setUint16(at + 12, metrics.roundTripDelay);
  view.setUint16(at + 14, metrics.endSystemDelay);
  view.setInt8(at + 16, metrics.signalLevel);
  view.setInt8(at + 17, metrics.noiseLevel);
  view.setUint8(at + 18, metrics.residualEchoReturnLoss);
  view.setUint8(at + 19, metrics.gmin);
  view.setUint8(at + 20, metrics.rFactor);
  view.setUint8(at + 21, metrics.extendedRFactor);
  view.setUint8(at + 22, metrics.mosLq);
  view.setUint8(at + 23, metrics.mosCq);
  view.setUint8(at + 24, metrics.receiverConfiguration);
  view.setUint8(at + 25, 0);
  view.setUint16(at + 26, metrics.bufferNominal);
  view.setUint16(at + 28, metrics.bufferMaximum);
  view.setUint16(at + 30, metrics.bufferLimit);

  return at + 4 * BLOCK_WORDS;
}

function readVoipMetrics(view: DataView, at: number): VoipMetrics {
  return {
    ssrc: view.getUint32(at),
    lossRate: view.getUint8(at + 4),
    discardRate: view.getUint8(at + 5),
    burstDensity: view.getUint8(at + 6),
    gapDensity: view.getUint8(at + 7),
    burstDuration: view.getUint16(at + 8),
    gapDuration: view.getUint16(at + 10),
    roundTripDelay: view.getUint16(at + 12),
    endSystemDelay: view.getUint16(at + 14),
    signalLevel: view.getInt8(at + 16),
    noiseLevel: view.getInt8(at + 17),
    residualEchoReturnLoss: view.getUint8(at + 18),
    gmin: view.getUint8(at + 19),
    rFactor: view.getUint8(at + 20),
    extendedRFactor: view.getUint8(at + 21),
    mosLq: view.getUint8(at + 22),
    mosCq: view.getUint8(at + 23),
    receiverConfiguration: view.getUint8(at + 24),
    bufferNominal: view.getUint16(at + 26),
    bufferMaximum: view.getUint16(at + 28),
    bufferLimit: view.getUint16(at + 30),
  };
}
