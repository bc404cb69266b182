export type DeliveryErrorReason = 'not-found' | 'invalid' | 'closed'

/** What deliveries cannot take: an endpoint or a message that is not there, a setting of the wrong form. */
export class DeliveryError extends Error {
  readonly reason: DeliveryErrorReason

  constructor(reason: DeliveryErrorReason, message: string) {
    super(message)
    this.name = 'DeliveryError'
    this.reason = reason
  }
}
