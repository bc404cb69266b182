import { unheard } from './logger.ts'

/** Calls a function of the application. Ignores what it throws or rejects with. */
export function callBack<Argument>(
  callback: ((argument: Argument) => unknown) | undefined,
  argument: Argument,
): void {
  try {
    unheard(callback?.(argument))
  } catch {}
}
