export type DeliveryErrorReason = 'not-found' | 'invalid' | 'closed'

/** `deliveries` refused a call, for example because of an unknown endpoint or message, or an invalid value. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  readonly reason: DeliveryErrorReason

  constructor(reason: DeliveryErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}
