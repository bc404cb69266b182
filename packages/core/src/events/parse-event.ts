import { type Instant, parseInstant } from '../base/instant.ts'
import { isJsonObject } from '../base/objects.ts'
import { isDirectoryEvent, isUsableId } from './directory-events.ts'
import type { ScimEvent } from './events.ts'

/** An event that can be dispatched. */
export interface ParsedEvent {
  event: ScimEvent
  /** The time that orders the events of a resource. Always set for directory events. */
  occurredAt: Instant | undefined
}

/** The reason why a payload cannot be dispatched, for the log. */
export interface UnusablePayload {
  unusable: string
}

/**
 * Reads a payload. Scalekit documents two envelopes. The reference's envelope has `id`, `occurred_at` and
 * `organization_id` at the top. The quickstart's envelope has `timestamp` at the top, and the organization in `data`.
 * Unknown fields and types are accepted. An optional field can have any type, because the directory's administrator
 * chooses its content.
 * @param payload Its missing `id`, `occurred_at` and `organization_id` are added to it. Pass a copy of an object that
 *   other code uses
 */
export function parseEvent(payload: unknown, messageId: string): ParsedEvent | UnusablePayload {
  if (!isJsonObject(payload)) return { unusable: 'the payload is not a JSON object' }
  if (!isUsableId(payload.type)) return { unusable: 'the payload does not have a `type`' }
  if (!isJsonObject(payload.data)) return { unusable: 'the payload does not have a `data` object' }

  const time = payload.occurred_at ?? payload.timestamp
  const organizationId = payload.organization_id ?? payload.data.organization_id
  if (!isUsableId(payload.id)) payload.id = messageId
  if (time != null) payload.occurred_at = time
  if (organizationId != null) payload.organization_id = organizationId

  const event = payload as unknown as ScimEvent
  const occurredAt = parseInstant(time)
  if (!isDirectoryEvent(event)) return { event, occurredAt }

  if (!isUsableId(event.data.id)) {
    return { unusable: '`data.id` is missing. No other field identifies the resource' }
  }
  if (!isUsableId(organizationId)) {
    return { unusable: '`organization_id` is missing, at the top and in `data`' }
  }
  if (occurredAt === undefined) {
    return { unusable: '`occurred_at` (or `timestamp`) is not an RFC 3339 time' }
  }
  if (event.data.organization_id == null) event.data = { ...event.data, organization_id: organizationId }
  return { event, occurredAt }
}
