/** What the phone of a call says that it could do, beyond what the call uses (RFC 3261 11). */
import { parseSdp, SdpError, type SdpSession } from '../sdp/index.ts';
import { allows } from './focus/index.ts';
import type { SessionCall } from './ua/index.ts';

/**
 * Asked within the dialog, so that it is this phone that answers: "it … has no effect on" the dialog (11.2).
 * Undefined: it does not say. Never rejects.
 */
export function askForDescription(
  call: Pick<SessionCall, 'send' | 'introduction'>,
): Promise<SdpSession | undefined> {
  const { introduction } = call;
  if (introduction?.headers.has('Allow') === true && !allows(introduction, 'OPTIONS')) {
    return Promise.resolve(undefined);
  }

  return new Promise((resolve) => {
    const isSent = call.send(
      'OPTIONS',
      { headers: [['Accept', 'application/sdp']] },
      {
        onResponse: ({ status, contentType, bodyText }) => {
          if (status < 200) return;
          const isDescription = status < 300 && contentType?.type === 'application/sdp';
          const session = isDescription ? parseSdp(bodyText) : undefined;
          resolve(session instanceof SdpError ? undefined : session);
        },
        onFailure: () => resolve(undefined),
      },
    );
    if (!isSent) resolve(undefined);
  });
}
