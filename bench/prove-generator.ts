import { FIRST_PORT, plainLegs } from './mix-legs.ts';
import { RtpLoad } from './rtp-load.ts';

const PHONES = 500;

/** What the generator says it sent arrives at a sink on the other core, on time; throws when it does not. */
export async function proveGenerator(
  program: string,
  folder: string,
  track: Uint8Array[],
  cores: { load: number; sink: number },
): Promise<{ lateP99: number; lost: number }> {
  const plan = { folder, tracks: [track], seconds: 4, settleSeconds: 1 };
  const sinkPort = FIRST_PORT + 2 * PHONES;
  const sink = await RtpLoad.open(program, {
    ...plan,
    name: 'sink',
    legs: plainLegs(PHONES, sinkPort, () => 0),
    seconds: 4.5,
    core: cores.sink,
  });
  const load = await RtpLoad.open(program, {
    ...plan,
    name: 'proof',
    legs: plainLegs(PHONES, FIRST_PORT, (index) => sinkPort + 2 * index),
    core: cores.load,
  });
  sink.start();
  load.start();
  await load.measuring();
  const sent = await load.report();
  await sink.measuring();
  const arrived = await sink.report();
  console.log(
    `generator: ${sent.sent} packets of ${PHONES} phones in ${sent.seconds} s, ` +
      `${arrived.received} arrived, ${arrived.lost} lost, ` +
      `late p50 ${sent.lateMs.p50} p99 ${sent.lateMs.p99} max ${sent.lateMs.max} ms, ` +
      `longest gap at the sink ${arrived.longestGapMs} ms`,
  );
  // The two begin to count a moment apart.
  if (arrived.lost > 0 || Math.abs(arrived.received - sent.sent) > PHONES * 2) {
    throw new Error('the load generator does not send what it says: no figure would mean anything');
  }

  return { lateP99: sent.lateMs.p99, lost: arrived.lost };
}
