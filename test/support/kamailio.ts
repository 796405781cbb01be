import path from 'node:path';
import { Child } from './child-process.ts';
import { projectPath } from './scratch.ts';
import { tryConnect } from './try-connect.ts';
import { waitUntil } from './wait-until.ts';

/** Where test/fixtures/kamailio/edge.cfg listens, UDP and TCP. */
export const EDGE = '127.0.0.1:5065';

/** A kamailio in the foreground: its processes end with the first one. */
export async function startEdge(folder: string): Promise<Child> {
  const child = new Child({
    name: 'kamailio',
    command: 'kamailio',
    args: [
      ...['-f', projectPath('test/fixtures/kamailio/edge.cfg'), '-DD', '-E', '-m', '32', '-M', '4'],
      ...['-w', folder, '-Y', folder, '-P', path.join(folder, 'kamailio.pid')],
    ],
    logFile: path.join(folder, 'kamailio.log'),
    cwd: folder,
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
  });
  // It says that it listens before it does; its TCP ports are bound last.
  await waitUntil('kamailio listens', async () => {
    if (!child.running) throw new Error(`kamailio ended: ${child.output.slice(-2000)}`);
    const connection = await tryConnect(Number(EDGE.split(':')[1]));
    connection?.destroy();

    return connection === undefined ? 'not yet' : undefined;
  });

  return child;
}
