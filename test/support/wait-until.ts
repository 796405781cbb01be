import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls until `check` answers undefined; a string is the reason why it does not hold yet, and is
 * what the failure says after `timeoutMs`. For tests against real processes only: whatever runs on
 * a Clock uses FakeClock. The usual time is for a machine that is busy or slow: it costs nothing when all is well.
 */
export async function waitUntil(
  what: string,
  check: () => string | undefined | Promise<string | undefined>,
  timeoutMs = 40_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const reason = await check();
    if (reason === undefined) return;
    if (Date.now() > deadline) throw new Error(`${what}: still ${reason} after ${timeoutMs} ms`);
    await delay(50);
  }
}

/** Lets real media run for a while: recordings need a length. */
export async function letRun(ms: number): Promise<void> {
  await delay(ms);
}
