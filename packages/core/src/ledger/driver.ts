import { type Clock, timedOut, within } from '../base/clock.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { BeginAnswer, Ledger } from './ledger.ts'

export interface DriverOptions {
  namespace: string
  clock: Clock
  storeTimeoutSeconds: number
  /** The time for which the ledger stores a resource, even before the resource's first commit. */
  watermarkRetentionSeconds: number
  log: Logger
}

/** A ledger that a driver opened. `close` ends the ledger's background work, but does not close the store. */
export interface DriverLedger extends Ledger {
  close(): void
}

/**
 * Limits the time of one call to a store. Do not use this function for `begin`, because the ledger must release a claim
 * that arrives late.
 * @throws StoreUnavailableError if the call takes longer than `storeTimeoutSeconds`
 */
export async function inTime<T>(
  { clock, storeTimeoutSeconds }: Pick<DriverOptions, 'clock' | 'storeTimeoutSeconds'>,
  call: Promise<T>,
): Promise<T> {
  const result = await within(clock, call, storeTimeoutSeconds * 1000)
  if (result === timedOut) throw new StoreTimeoutError()
  return result
}

const refusals = ['duplicate', 'in-flight', 'busy', 'stale'] as const satisfies BeginAnswer['state'][]

/** Whether a store answered a `begin` with a state other than 'begun'. */
export function isRefusal(state: unknown): state is (typeof refusals)[number] {
  return refusals.some((refusal) => refusal === state)
}

export function unexpected(): StoreUnavailableError {
  return new StoreUnavailableError('the store returned an unexpected answer')
}

/** Stores take whole milliseconds. Some stores silently refuse a fractional number. */
export function wholeMs(seconds: number): number {
  return Math.ceil(seconds * 1000)
}
