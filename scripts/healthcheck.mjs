// The health check of the container: ends with 0 when /healthz answers 200.

const secure = Boolean(process.env.TLS_CERT);
const port = process.env.HTTP_PORT || '3000';
const host =
  process.env.HTTP_HOST && process.env.HTTP_HOST !== '0.0.0.0'
    ? process.env.HTTP_HOST
    : '127.0.0.1';
// It asks itself: the certificate names the public host, not this address.
if (secure) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

const url = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}/healthz`;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.error(String(error.cause ?? error));
  process.exitCode = 1;
}
