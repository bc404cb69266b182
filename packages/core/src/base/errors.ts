/** The stable codes of {@link ConfigurationError}; each has its heading in docs/errors.md. */
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
 * Thrown at start, never while a request is served: something in the options is wrong. The message says
 * what, and how to fix it; it never holds a secret.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly code: ConfigurationErrorCode
  /** The option that is wrong, where one is. */
  readonly option?: string

  constructor(code: ConfigurationErrorCode, message: string, option?: string) {
    super(message)
    this.code = code
    if (option !== undefined) this.option = option
  }
}

/** ESM and CJS copies of this module may live in one process, so the brand is looked up, not the class. */
const dropBrand = Symbol.for('@scalekit-scim/DropEvent')

/**
 * Thrown by a handler for an event that no retry would help, such as a hire beyond the seat limit. The
 * message is answered 2xx and remembered as done, and the resource's watermark moves past it.
 *
 * @example
 * if (seats.full()) throw new DropEvent('seat-limit')
 */
export class DropEvent extends Error {
  override readonly name = 'DropEvent'
  readonly [dropBrand] = true

  /** @param reason A short word for the log. It is logged, so no personal data. */
  constructor(reason: string) {
    super(reason)
  }

  static is(error: unknown): error is DropEvent {
    try {
      return typeof error === 'object' && error !== null && dropBrand in error
    } catch {
      // A proxy may throw whatever it is asked.
      return false
    }
  }
}

/** Why no bytes of a request's body can be had. */
export type BodyErrorReason = 'too-large' | 'consumed' | 'aborted'

/**
 * Thrown by a {@link BodyReader}: the body is over the limit, was read by somebody else before, or its
 * sender went away in the middle of it.
 */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly reason: BodyErrorReason
  /** What to do about it, for the log. */
  readonly fix?: string

  constructor(reason: BodyErrorReason, message: string, fix?: string) {
    super(message)
    this.reason = reason
    if (fix !== undefined) this.fix = fix
  }

  /** By its name: an adapter's reader may throw that of another copy. */
  static is(error: unknown): error is BodyError {
    return error instanceof Error && error.name === 'BodyError' && 'reason' in error
  }
}

/** Thrown by a ledger whose store failed, lied or did not answer in time. Never read as 'unseen'. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/** The store has said nothing, for as long as it may take. */
export class StoreTimeoutError extends StoreUnavailableError {
  readonly code = 'TIMEOUT'

  constructor() {
    super('the store did not answer in time')
  }
}
