import type { Deadline } from '../base/clock.ts'
import type { Instant } from '../base/instant.ts'
import type { Logger } from '../base/logger.ts'
import { isDirectoryEvent, isUsableId } from '../events/directory-events.ts'
import type { ScimEvent } from '../events/events.ts'
import type { EventSource } from '../events/handlers.ts'
import type { OutcomeReport } from '../events/outcome.ts'
import type { ParsedEvent } from '../events/parse-event.ts'

/** One event that the dispatcher runs, with its metadata. */
export interface Delivery extends ParsedEvent {
  idempotencyKey: string
  source: EventSource
  observedAt?: Instant | undefined
  directoryId?: string | undefined
  /** The start time, from `clock.monotonic()`. */
  startedMs: number
  deadline: Deadline
  log: Logger
  /** The event's ids, read before the handlers run, because a handler can change the event. */
  ids: EventIds
}

/** The event's ids and type, for reports and log lines. */
export type EventIds = Pick<OutcomeReport, 'messageId' | 'eventId' | 'type' | 'organizationId' | 'resourceId'>

export function eventIds(event: ScimEvent, messageId: string): EventIds {
  const ids: EventIds = { messageId, eventId: event.id, type: event.type }
  // In events other than directory events, the field can have any type.
  if (isUsableId(event.organization_id)) ids.organizationId = event.organization_id
  if (isDirectoryEvent(event)) ids.resourceId = event.data.id
  return ids
}
