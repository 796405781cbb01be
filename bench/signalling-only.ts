/**
 * The SIP stack alone: every call is answered with a description and nothing is behind it. What the
 * `sip` benchmark holds against the whole server, to tell the cost of signalling from that of media.
 */
import { silentLogger, SystemClock } from '../base/index.ts';
import { answerOffer, DEFAULT_AUDIO_CAPABILITIES } from '../signaling/sdp/index.ts';
import { TransactionLayer } from '../signaling/sip/transaction/index.ts';
import { TransportLayer } from '../signaling/sip/transport/index.ts';
import { UserAgent } from '../signaling/sip/ua/index.ts';

const clock = new SystemClock();
const logger = silentLogger;
const transports = new TransportLayer({ clock, logger });
const transactions = new TransactionLayer({ sender: transports, clock, logger });
transactions.user = new UserAgent({
  clock,
  logger,
  sender: transactions,
  timers: transactions.timers.values,
  localAddressFor: (target) => transports.localAddressFor(target),
  product: 'Parley/bench',
  handler: {
    incomingCall: (call) => {
      const outcome =
        call.offer &&
        answerOffer(call.offer, DEFAULT_AUDIO_CAPABILITIES, {
          address: '127.0.0.1',
          rtpPort: 40_000,
          sessionId: '1',
        });
      if (outcome !== undefined && 'answer' in outcome) call.accept(outcome.answer);
      else call.reject(488);
    },
  },
});
await transports.listen('UDP', { address: '127.0.0.1', port: Number(process.argv[2]) });
console.log('listening');
