import { signDelivery } from '@scalekit-scim/core/testing'
import { z } from 'zod'
import type { StoredDeliveries } from './stored.ts'

const endpoint = z.object({
  id: z.string(),
  url: z.url({ protocol: /^https?$/ }),
  types: z.array(z.string()).optional(),
  secrets: z
    .array(z.object({ secret: z.string().refine(canSign), expiresAtMs: z.number().optional() }))
    .min(1),
})

const message = z.object({
  ordinal: z.number(),
  id: z.string(),
  event: z.looseObject({ type: z.string() }),
  createdAtMs: z.number(),
  deliveries: z.array(
    z.object({ endpointId: z.string(), failures: z.number(), nextAttemptAtMs: z.number().optional() }),
  ),
})

const stored = z
  .object({ endpoints: z.array(endpoint), drawn: z.number(), sent: z.number(), messages: z.array(message) })
  .refine(({ endpoints, messages }) => {
    const ids = new Set(endpoints.map(({ id }) => id))
    return messages.every(({ deliveries }) => deliveries.every(({ endpointId }) => ids.has(endpointId)))
  })

/** Whether something read from a file is what `Deliveries.export` gave. */
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
