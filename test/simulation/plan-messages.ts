import type { Stream } from './stream.ts'
import { startMs } from './world.ts'

export type ResourceKind = 'user' | 'group' | 'directory'

/** 'other': an event that belongs to no resource. */
export type Change = 'created' | 'updated' | 'deactivated' | 'deleted' | 'other'

export interface MessagePlan {
  id: string
  /** The time of the first attempt, since the history began. */
  atMs: number
  /** The index of the resource. */
  resource: number
  change: Change
  occurredAt: string
  /** Whether the application passes the event to `dispatch()`, instead of a webhook. */
  isDispatched: boolean
  /** Set by the shrinker: the handlers of the message are fast and succeed. */
  isTame: boolean
}

export function planMessages(random: Stream, resources: ResourceKind[], windowMs: number): MessagePlan[] {
  // Some senders only have whole seconds, so events have equal times.
  const isCoarse = random.happens(0.3)
  const messages = Array.from({ length: random.between(2, 18) }, (_, index): MessagePlan => {
    const resource = random.below(resources.length)
    const bornMs = isCoarse ? Math.floor(random.next() * (windowMs / 1000)) * 1000 : random.next() * windowMs
    const lateMs = random.happens(0.7) ? random.spread(5, 2000) : random.spread(2000, 60_000)
    const nanos = isCoarse ? 0 : random.below(1_000_000)
    return {
      id: `msg_${index}`,
      atMs: bornMs + lateMs,
      resource,
      change: random.happens(0.03) ? 'other' : random.pick(changes[resources[resource] ?? 'user']),
      occurredAt: timeText(startMs + bornMs, nanos, isCoarse && random.happens(0.5)),
      isDispatched: random.happens(0.04),
      isTame: false,
    }
  })
  // Bursts: some messages arrive together.
  for (const message of messages) {
    if (!random.happens(0.25)) continue
    const bornMs = Date.parse(message.occurredAt) - startMs
    message.atMs = Math.max(bornMs + 2, random.pick(messages).atMs + random.real(-50, 50))
  }
  return messages
}

const personChanges = ['created', 'updated', 'updated', 'updated', 'deactivated', 'deleted'] as const
const changes: Readonly<Record<ResourceKind, readonly Change[]>> = {
  user: personChanges,
  group: ['created', 'updated', 'updated', 'deleted'],
  directory: ['created', 'deactivated'],
}

function timeText(ms: number, nanos: number, isShort: boolean): string {
  const [seconds, millis = '000Z'] = new Date(ms).toISOString().split('.')
  return isShort ? `${seconds}Z` : `${seconds}.${millis.slice(0, 3)}${String(nanos).padStart(6, '0')}Z`
}
