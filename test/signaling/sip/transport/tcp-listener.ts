import { createServer, type Server } from 'node:net';

/** A TCP server that resolves with the first bytes it gets and can reply to them. */
export async function tcpListener(): Promise<{
  server: Server;
  port: number;
  first: Promise<Buffer>;
  reply: (bytes: Uint8Array) => void;
}> {
  const server = createServer();
  let reply: (bytes: Uint8Array) => void = () => undefined;
  const first = new Promise<Buffer>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', resolve);
      reply = (bytes) => {
        socket.write(bytes);
      };
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return { server, port: address.port, first, reply: (bytes) => reply(bytes) };
}
