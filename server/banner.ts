import type { Config } from './config.ts';

export interface PublicAddresses {
  web: string;
  dialIn: string;
  apiKeyFile: string;
}

/** What a person who typed `npm start` wants to know. */
export function publicAddresses(config: Config, keyFile: string): PublicAddresses {
  const { http, sip } = config;
  const scheme = http.tls === undefined ? 'http' : 'https';
  const port = sip.port === 5060 ? '' : `:${String(sip.port)}`;

  return {
    web: `${scheme}://${uriHost(shownHost(http.host))}:${String(http.port)}`,
    dialIn: `sip:<room>@${uriHost(sip.publicAddress)}${port}`,
    apiKeyFile: config.apiKey === undefined ? keyFile : '(given as API_KEY)',
  };
}

export function banner({ web, dialIn, apiKeyFile }: PublicAddresses): string {
  return `
Parley is ready.
  web      ${web}
  dial in  ${dialIn} (UDP or TCP)
  API key  ${apiKeyFile}

`;
}

/** An address that stands for all interfaces cannot be opened in a browser. */
function shownHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}

function uriHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
