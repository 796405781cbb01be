import { createLogger, type Logger } from '../../base/index.ts';

/** A logger that writes nothing and keeps in `messages` what was logged as an error or worse. */
export function errorLogger(messages: string[]): Logger {
  const write = (line: string): void => {
    messages.push((JSON.parse(line) as { msg: string }).msg);
  };

  return createLogger({ level: 'error', destination: { write } });
}
