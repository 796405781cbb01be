import { constants, setPriority } from 'node:os';
import { toError } from '../base/index.ts';
import type { Logger } from '../base/index.ts';

/**
 * Before the media threads and workers are made, which inherit it: a frame of audio is due every 20 ms,
 * and whatever else the machine does can wait that long. Only root and CAP_SYS_NICE may; without it
 * everything works, with less room to spare on a busy machine.
 */
export function raisePriority(logger: Logger): void {
  try {
    setPriority(0, constants.priority.PRIORITY_HIGH);
  } catch (error) {
    logger.debug({ reason: toError(error).message }, 'priority stays as it is');
  }
}
