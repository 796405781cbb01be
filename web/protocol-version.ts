/** The version of `signaling/websocket/protocol.ts` that this app was written for; a test holds the two equal. */
export const PROTOCOL_VERSION = 4;
