import { sampleEvent, signDelivery } from '@scalekit-scim/core/testing'

const bytes = 1024

/** A signed request. */
export interface Delivery {
  headers: Record<string, string>
  body: Buffer
}

/**
 * Signs deliveries of about 1 KB. Message ids and times are different in each delivery. Hot deliveries are about one
 * user. All other deliveries are about different users.
 */
export function* deliveries(name: string, count: number, hot: boolean): Generator<Delivery> {
  const type = 'organization.directory.user_updated'
  const now = Date.now()
  for (let index = 0; index < count; index++) {
    const id = hot ? 'diruser_hot' : `diruser_${name}_${index}`
    const data = { id, email: `${id}@example.com`, profile: '' }
    const occurredAt = new Date(now + index / 1000).toISOString()
    const event = { ...sampleEvent(type, { data }), occurred_at: occurredAt }
    const profile = 'x'.repeat(Math.max(0, bytes - JSON.stringify(event).length))
    const whole = { ...event, data: { ...event.data, profile } }
    const { headers, body } = signDelivery(whole, { messageId: `msg_${name}_${index}` })
    yield { headers: { ...headers, 'content-type': 'application/json' }, body: Buffer.from(body) }
  }
}
