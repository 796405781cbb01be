/**
 * Preloaded into every thread of a server that is measured: on SIGUSR2 all of them collect garbage, so
 * that memory is what is held and not what has not been collected yet.
 */
import { isMainThread } from 'node:worker_threads';

/** Also gives back pages that are kept for what may come. */
function collect(): void {
  for (let i = 0; i < 2; i++) void globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}

const channel = new BroadcastChannel('collect garbage');
channel.onmessage = collect;
channel.unref();

if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage('now');
    collect();
  });
}
