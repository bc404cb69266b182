import { type Clock, timedOut, within } from '../base/clock.ts'
import { StoreTimeoutError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Ledger } from './ledger.ts'

/** What a driver runs on beside the store itself. */
export interface DriverOptions {
  namespace: string
  clock: Clock
  storeTimeoutSeconds: number
  /** How long what is known of a resource is kept, also before its first commit. */
  watermarkRetentionSeconds: number
  log: Logger
}

/** A ledger that a driver opened. `close` ends what it runs in the background; the store itself stays open. */
export interface DrivenLedger extends Ledger {
  close(): void
}

/** Knows one kind of Keyv adapter and its own native handle, by its shape: never `instanceof`. */
export interface Driver {
  /** The ledger, or `undefined` where the adapter is of another kind. Touches no network: a store may be down. */
  open(adapter: object, options: DriverOptions): DrivenLedger | undefined
}

/**
 * One call to a store under its own deadline. Not for `begin`: who asked for a claim must see it come late, to give it
 * back.
 * @throws StoreUnavailableError when the time is over
 */
export async function inTime<T>(
  { clock, storeTimeoutSeconds }: Pick<DriverOptions, 'clock' | 'storeTimeoutSeconds'>,
  call: Promise<T>,
): Promise<T> {
  const result = await within(clock, call, storeTimeoutSeconds * 1000)
  if (result === timedOut) throw new StoreTimeoutError()
  return result
}
