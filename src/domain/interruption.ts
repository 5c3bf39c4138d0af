import { DtError } from './errors.ts';

/** The error for work that an aborted signal ended: the reason of the signal if it is an error of ours. */
export function interruptionError(signal: AbortSignal): DtError {
  return signal.reason instanceof DtError
    ? signal.reason
    : new DtError('DT_INTERRUPTED', 'interrupted', { cause: signal.reason });
}
