import type { ScimEvent } from '@scalekit-scim/core'
import type { StoredEndpoint } from './endpoints.ts'

/** What a file keeps of the deliveries, as JSON. */
export interface StoredDeliveries {
  endpoints: readonly StoredEndpoint[]
  /** How many ids and secrets of endpoints the seed has given. */
  drawn: number
  /** How many messages were sent. */
  sent: number
  messages: readonly StoredMessage[]
}

/** A message that is on its way to some endpoint. */
export interface StoredMessage {
  ordinal: number
  id: string
  event: ScimEvent
  createdAtMs: number
  deliveries: readonly ({ endpointId: string } & Progress)[]
}

/** How far a delivery has come. */
export interface Progress {
  failures: number
  nextAttemptAtMs?: number
}
