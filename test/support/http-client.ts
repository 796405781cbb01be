import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';

export interface HttpRequest {
  method: string;
  headers?: Record<string, string>;
  body?: string;
  /** Who signed the server's certificate: `fetch` knows the well-known ones alone. */
  ca?: Buffer;
}

export async function httpFetch(
  url: string,
  { method, headers = {}, body, ca }: HttpRequest,
): Promise<{ status: number; text: string }> {
  const options = { method, headers: { ...headers, connection: 'close' } };
  const request = url.startsWith('https:')
    ? httpsRequest(url, { ...options, ca })
    : httpRequest(url, options);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);

  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}
