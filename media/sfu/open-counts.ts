import type { types as mediasoup } from 'mediasoup';

/** Something that says once that it is gone, whatever made it go. */
interface Observed {
  observer: { once(event: 'close', listener: () => void): unknown };
}

/**
 * What one worker has open, counted where mediasoup itself makes and ends it: no path of our own
 * code, and no death of the worker, can be forgotten.
 */
export class OpenCounts {
  routers = 0;
  transports = 0;
  producers = 0;
  consumers = 0;

  watch(worker: mediasoup.Worker): void {
    worker.observer.on('newrouter', (router) => {
      this.#count('routers', router);
      router.observer.on('newtransport', (transport) => {
        this.#watchTransport(transport);
      });
    });
  }

  #watchTransport(transport: mediasoup.Transport): void {
    this.#count('transports', transport);
    transport.observer.on('newproducer', (producer) => {
      this.#count('producers', producer);
    });
    transport.observer.on('newconsumer', (consumer) => {
      this.#count('consumers', consumer);
    });
  }

  #count(what: 'routers' | 'transports' | 'producers' | 'consumers', item: Observed): void {
    this[what]++;
    item.observer.once('close', () => {
      this[what]--;
    });
  }
}
