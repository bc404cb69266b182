// For the packages of this repository alone. Any release, patches included, may change or remove a name here.

export { callBack } from './call-back.ts'
export {
  awaited,
  delay,
  inBackground,
  longestDelayMs,
  systemClock,
  type TimerOptions,
  timedOut,
  within,
} from './clock.ts'
export { errorCode } from './error-code.ts'
export { formatInstant, type Instant, parseInstant, plusSeconds } from './instant.ts'
export { syncMarginSeconds } from './ledger/judge.ts'
export type { LedgerRecord } from './ledger/ledger.ts'
export { type ErrorFields, errorFields } from './logger.ts'
export { omitUndefined } from './omit-undefined.ts'
export { clockOption, invalid, loggerOption, numberOption, requireKnownNames } from './option-checks.ts'
export type { NumberRule } from './options.ts'
