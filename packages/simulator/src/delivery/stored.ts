import type { ScimEvent } from '@scalekit-scim/core'
import { isJsonObject, readSafely } from '@scalekit-scim/core/internal'
import { signDelivery } from '@scalekit-scim/core/testing'
import { z } from 'zod'

const text = z.string()
const number = z.number()

const endpoint = z.object({
  id: text,
  url: z.url({ protocol: /^https?$/ }),
  types: z.array(text).readonly().exactOptional(),
  /** The secrets, the newest first. */
  secrets: z
    .array(
      z.object({
        secret: text.refine((secret) => readSafely(() => signDelivery('', { secret }))),
        expiresAtMs: number.exactOptional(),
      }),
    )
    .min(1),
})

/** The progress of a delivery. */
const progress = z.object({ failures: number, nextAttemptAtMs: number.exactOptional() })

/** A message with its pending deliveries. */
const message = z.object({
  ordinal: number,
  id: text,
  event: z.custom<ScimEvent>((saved) => isJsonObject(saved) && typeof saved.type === 'string'),
  createdAtMs: number,
  deliveries: z.array(progress.extend({ endpointId: text })),
})

/** The format of the deliveries in a file. */
export const storedDeliveries = z
  .object({
    endpoints: z.array(endpoint),
    /** The number of random ids and secrets of endpoints, including earlier runs. */
    drawn: number,
    /** The number of sent messages, including earlier runs. */
    sent: number,
    messages: z.array(message),
  })
  .refine(({ endpoints, messages }) => {
    const ids = new Set(endpoints.map(({ id }) => id))
    return messages.every(({ deliveries }) => deliveries.every(({ endpointId }) => ids.has(endpointId)))
  })

export type StoredDeliveries = z.infer<typeof storedDeliveries>
export type StoredEndpoint = z.infer<typeof endpoint>
export type StoredMessage = z.infer<typeof message>
export type Progress = z.infer<typeof progress>
