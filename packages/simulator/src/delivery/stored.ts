import type { ScimEvent } from '@scalekit-scim/core'
import { signDelivery } from '@scalekit-scim/core/testing'
import { z } from 'zod'

/** The saved state of the deliveries, as JSON. */
export interface StoredDeliveries {
  endpoints: readonly StoredEndpoint[]
  /** How many ids and secrets of endpoints have been drawn from the seed. */
  drawn: number
  /** How many messages have been sent. */
  sent: number
  messages: readonly StoredMessage[]
}

export interface StoredEndpoint {
  id: string
  url: string
  types?: readonly string[]
  /** The newest first. */
  secrets: readonly { secret: string; expiresAtMs?: number }[]
}

/** A message with pending deliveries. */
export interface StoredMessage {
  ordinal: number
  id: string
  event: ScimEvent
  createdAtMs: number
  deliveries: readonly ({ endpointId: string } & Progress)[]
}

/** The progress of a delivery. */
export interface Progress {
  failures: number
  nextAttemptAtMs?: number
}

const text = z.string()
const number = z.number()
const secret = z.object({ secret: text.refine(canSign), expiresAtMs: number.optional() })
const delivery = z.object({ endpointId: text, failures: number, nextAttemptAtMs: number.optional() })
const stored = z
  .object({
    endpoints: z.array(
      z.object({
        id: text,
        url: z.url({ protocol: /^https?$/ }),
        types: z.array(text).optional(),
        secrets: z.array(secret).min(1),
      }),
    ),
    drawn: number,
    sent: number,
    messages: z.array(
      z.object({
        ordinal: number,
        id: text,
        event: z.looseObject({ type: text }),
        createdAtMs: number,
        deliveries: z.array(delivery),
      }),
    ),
  })
  .refine(({ endpoints, messages }) => {
    const ids = new Set(endpoints.map(({ id }) => id))
    return messages.every(({ deliveries }) => deliveries.every(({ endpointId }) => ids.has(endpointId)))
  })

/** Returns whether a value from a file has the format of `Deliveries.export`. */
export function isStoredDeliveries(saved: unknown): saved is StoredDeliveries {
  return stored.safeParse(saved).success
}

function canSign(secret: string): boolean {
  try {
    signDelivery('', { secret })
    return true
  } catch {
    return false
  }
}
