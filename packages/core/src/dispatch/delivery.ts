import type { Clock } from '../base/clock.ts'
import type { Instant } from '../base/instant.ts'
import { errorFields, type Logger, messageOf } from '../base/logger.ts'
import {
  isDirectoryEvent,
  isUsableId,
  type ParsedEvent,
  type Resource,
  resourceOf,
  type ScimEvent,
} from '../events/events.ts'
import type { EventSource } from '../events/handlers.ts'
import type { OutcomeReport } from '../events/outcome.ts'

/** An event on its way through. Times are the clock's monotonic milliseconds. */
export interface Delivery extends ParsedEvent {
  idempotencyKey: string
  source: EventSource
  observedAt?: Instant | undefined
  directoryId?: string | undefined
  startedMs: number
  deadlineMs: number
  log: Logger
  /** Taken before the handlers run: the event is theirs, to change as they like. */
  fields: EventFields
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

/** Whether it names one, whatever an untyped caller gave. */
export function isResource(value: unknown): value is Resource {
  if (typeof value !== 'object' || value === null) return false
  const { kind, organizationId, id }: { [name in keyof Resource]?: unknown } = value
  const isKind = kind === 'user' || kind === 'group' || kind === 'directory'
  return isKind && isUsableId(organizationId) && isUsableId(id)
}

/** Which directory an event says that it is of. A group's does, a directory's is it, and a user's mostly says nothing. */
export function directoryIdOf(event: ScimEvent): string | undefined {
  if (!isDirectoryEvent(event)) return undefined
  const isDirectory = resourceOf(event).kind === 'directory'
  const id: unknown = isDirectory ? event.data.id : Reflect.get(event.data, 'directory_id')
  return isUsableId(id) ? id : undefined
}

/** What a report and a log line say of an event: names, no values. */
export type EventFields = Pick<OutcomeReport, 'eventId' | 'type' | 'organizationId' | 'resourceId'>

export function eventFields(event: ScimEvent): EventFields {
  const resourceId = isDirectoryEvent(event) ? { resourceId: event.data.id } : {}
  // Nothing holds it to be text where the event is no directory's.
  const organizationId = isUsableId(event.organization_id) ? { organizationId: event.organization_id } : {}
  return { eventId: event.id, type: event.type, ...organizationId, ...resourceId }
}

export function reasonFields({
  outcome,
  reason,
  error,
}: Pick<OutcomeReport, 'outcome' | 'reason' | 'error'>): object {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : errorFields(error)),
    ...(outcome === 'handler-failed' ? devFields(error) : {}),
  }
}

/** A message can hold a whole statement with its values. */
const messageAtMost = 1000

/** On a developer's machine the message is what is looked for. Elsewhere it may hold personal data. */
function devFields(error: unknown): object {
  const environment = process.env.NODE_ENV
  if (environment !== 'development' && environment !== 'test') return {}
  const errorMessage = messageOf(error)
  return errorMessage === undefined ? {} : { errorMessage: errorMessage.slice(0, messageAtMost) }
}
