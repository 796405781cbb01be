export type Route = { page: 'landing' } | { page: 'room'; room: string } | { page: 'not-found' };

/** What the server's dial plan takes as a room, folded to lower case as it does. */
export function parseRoom(text: string): string | undefined {
  const folded = text.trim().toLowerCase();

  return /^[a-z0-9][a-z0-9-]{0,63}$/.test(folded) && folded !== '0' ? folded : undefined;
}

export function parseRoute(pathname: string): Route {
  if (pathname === '/' || pathname === '/index.html') return { page: 'landing' };
  const match = /^\/room\/([^/]+)\/?$/.exec(pathname);
  const room = parseRoom(decode(match?.[1] ?? ''));

  return room === undefined ? { page: 'not-found' } : { page: 'room', room };
}

/** Nine digits: easy to dial, hard to guess. */
export function newRoomNumber(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));

  return String(100_000_000 + (random % 900_000_000));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
