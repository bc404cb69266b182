import type { Clock } from './clock.ts'
import { isDirectoryEvent, type ParsedEvent, type Resource, type ScimEvent } from './events.ts'
import type { EventSource } from './handlers.ts'
import type { Instant } from './instant.ts'
import { errorFields, type Logger } from './logger.ts'

/** An event on its way through. Times are the clock's monotonic milliseconds. */
export interface Delivery extends ParsedEvent {
  idempotencyKey: string
  source: EventSource
  observedAt?: Instant | undefined
  deadlineMs: number
  log: Logger
}

/** What is left until an answer would come too late; negative when it would. */
export function leftMs(delivery: Delivery, clock: Clock): number {
  return delivery.deadlineMs - clock.monotonic()
}

/** Job queues (BullMQ, say) refuse a `:` in a key, so it is escaped, and the escape with it. */
export function idempotencyKeyOf(messageId: string): string {
  return messageId.replace(/[%:]/g, (char) => (char === ':' ? '%3A' : '%25'))
}

export function resourceKey({ kind, organizationId, id }: Resource): string {
  return `${kind}:${encodeURIComponent(organizationId)}:${encodeURIComponent(id)}`
}

/** What a report and a log line say of an event: names, no values. */
export function eventFields(event: ScimEvent) {
  const resourceId = isDirectoryEvent(event) ? { resourceId: event.data.id } : {}
  const organizationId = event.organization_id === undefined ? {} : { organizationId: event.organization_id }
  return { eventId: event.id, type: event.type, ...organizationId, ...resourceId }
}

export function reasonFields({ reason, error }: { reason?: string; error?: unknown }): object {
  return { ...(reason === undefined ? {} : { reason }), ...(error === undefined ? {} : errorFields(error)) }
}
