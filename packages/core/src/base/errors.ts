import { readSafely } from './application-calls.ts'

/** The page that error messages refer to. The page is part of the published package. */
export const errorsPage = 'node_modules/@scalekit-scim/core/docs/errors.md'

/** The stable codes of {@link ConfigurationError}. docs/errors.md explains each code. */
export type ConfigurationErrorCode =
  | 'ERR_SCIM_UNKNOWN_OPTION'
  | 'ERR_SCIM_INVALID_OPTION'
  | 'ERR_SCIM_INVALID_HANDLER'
  | 'ERR_SCIM_SECRET_MISSING'
  | 'ERR_SCIM_SECRET_INVALID'
  | 'ERR_SCIM_STORE_INVALID'
  | 'ERR_SCIM_GUARANTEE'
  | 'ERR_SCIM_NAMESPACE_IN_USE'
  | 'ERR_SCIM_RECEIVER_OPTIONS'
  | 'ERR_SCIM_API_VARIABLE_MISSING'
  | 'ERR_SCIM_SDK_MISSING'

/**
 * The error for a wrong option, thrown only when the application starts. The message names the problem and the fix. The
 * message never contains a secret.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly code: ConfigurationErrorCode
  /** The wrong option's name. Absent if the error does not concern a single option. */
  readonly option?: string

  constructor(code: ConfigurationErrorCode, message: string, option?: string) {
    super(message)
    this.code = code
    if (option !== undefined) this.option = option
  }
}

/** One process can load this class twice, as ESM and as CJS. The two copies share this symbol. */
const dropBrand = Symbol.for('@scalekit-scim/DropEvent')

/**
 * If a retry would not help, throw this error from a handler. Example: no seat is left for a new user. The sender gets
 * a 200. The message counts as done. The resource's watermark becomes the event's time.
 *
 * @example
 * if (seats.full()) throw new DropEvent('seat-limit')
 */
export class DropEvent extends Error {
  override readonly name = 'DropEvent'
  readonly [dropBrand] = true

  /** @param reason A short word without personal data. The log shows this word. */
  constructor(reason: string) {
    super(reason)
  }

  static is(error: unknown): error is DropEvent {
    return typeof error === 'object' && error !== null && readSafely(() => dropBrand in error) === true
  }
}

/** The reason why a body cannot be read. */
export type BodyErrorReason = 'too-large' | 'consumed' | 'aborted'

/**
 * Thrown by a body reader.
 *
 * - 'too-large': the body exceeds the limit.
 * - 'consumed': other code has already read the body.
 * - 'aborted': the connection closed before the end of the body.
 */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly reason: BodyErrorReason
  /** The fix that the log shows. */
  readonly fix?: string

  constructor(reason: BodyErrorReason, message: string, fix?: string) {
    super(message)
    this.reason = reason
    if (fix !== undefined) this.fix = fix
  }

  /** Compares the name, because an adapter's reader can throw an error of another copy of this class. */
  static is(error: unknown): error is BodyError {
    return error instanceof Error && error.name === 'BodyError' && 'reason' in error
  }
}

/** If a store fails, returns an unusable answer, or does not answer in time, its ledger throws this error. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/** The error for a store that did not answer within `storeTimeoutSeconds`. */
export class StoreTimeoutError extends StoreUnavailableError {
  readonly code = 'TIMEOUT'

  constructor() {
    super('the store did not answer in time')
  }
}
