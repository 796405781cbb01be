/** Stands in for a mixer thread: up at once, and dead at the first leg, or the first room that comes to it. */
import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ id, op }) => {
  if (op === 'createLeg' || op === 'thawRoom') throw new Error('dies on purpose');
  parentPort.postMessage({ type: 'answer', id });
});
parentPort.postMessage({ type: 'ready' });
