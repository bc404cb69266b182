// These exports are only for the packages of this repository. Any release, even a patch release, can change or remove
// an export.

export { callBack, readSafely } from './base/application-calls.ts'
export {
  awaited,
  delay,
  inBackground,
  longestDelayMs,
  systemClock,
  type TimerOptions,
  timedOut,
  within,
} from './base/clock.ts'
export { errorCode } from './base/error-code.ts'
export { formatInstant, type Instant, parseInstant, plusSeconds } from './base/instant.ts'
export { type ErrorFields, errorFields } from './base/logger.ts'
export { isJsonObject, type JsonObject, omitUndefined } from './base/objects.ts'
export { randomnessOf, replaceRandomness } from './base/randomness.ts'
export {
  clockOption,
  invalid,
  loggerOption,
  numberOption,
  numberOptions,
  requireKnownNames,
} from './config/option-checks.ts'
export type { NumberRule } from './config/options.ts'
export { syncMarginSeconds } from './ledger/decisions.ts'
export type { LedgerRecord } from './ledger/ledger.ts'
