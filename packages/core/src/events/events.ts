import { z } from 'zod'
import { type Instant, parseInstant } from '../base/instant.ts'

// Wire names stay Scalekit's. The interfaces are closed, so that a misspelt field does not compile, and can be
// augmented (`declare module '@scalekit-scim/core'`) with fields of your own; what runs is open: a field that is
// not listed here reaches the handler too. Type tests hold the interfaces against the schemas below.

/** A user of a customer's directory, as Scalekit sends it (RFC 7643, 4.1). Absent or null means unknown: leave it. */
export interface DirectoryUser {
  /** `diruser_…`: the key to store. An email changes and can be given to somebody else. */
  id: string
  organization_id: string
  /** The id in the directory itself. */
  dp_id?: string | null
  /** `false`: deactivated in the directory, not deleted. Absent or null: unknown. */
  active?: boolean | null
  email?: string | null
  name?: string | null
  given_name?: string | null
  family_name?: string | null
  preferred_username?: string | null
  nickname?: string | null
  picture?: string | null
  phone_number?: string | null
  title?: string | null
  department?: string | null
  division?: string | null
  cost_center?: string | null
  employee_id?: string | null
  user_type?: string | null
  organization?: string | null
  language?: string | null
  locale?: string | null
  zoneinfo?: string | null
  profile?: string | null
  address?: Record<string, unknown> | null
  /** All groups that the user is in. Memberships come with users alone; a group's event carries none. */
  groups?: UserGroup[] | null
  roles?: UserRole[] | null
  custom_attributes?: Record<string, unknown> | null
  raw_attributes?: Record<string, unknown> | null
}

export interface UserGroup {
  /** `dirgroup_…` */
  id: string
  name?: string | null
}

export interface UserRole {
  role_name: string
}

/** All that a deletion carries. */
export interface DeletedDirectoryUser {
  id: string
  organization_id: string
  dp_id?: string | null
  email?: string | null
}

/** A group of a customer's directory (RFC 7643, 4.2), without its members. */
export interface DirectoryGroup {
  /** `dirgroup_…` */
  id: string
  organization_id: string
  directory_id?: string | null
  display_name?: string | null
  external_id?: string | null
  dp_id?: string | null
  raw_attributes?: Record<string, unknown> | null
}

/** A connection to a customer's directory. Whether it is on says the event's type, never a field. */
export interface Directory {
  /** `dir_…` */
  id: string
  organization_id: string
  directory_type?: string | null
  provider?: string | null
  enabled?: boolean | null
  updated_at?: string | null
  status?: string | null
  last_sync_at?: string | null
}

interface Envelope<Type extends string, Data> {
  /** `evt_…`, or the message's id where the sender gave none. Deduplicate by `ctx.idempotencyKey`, not by this. */
  id: string
  type: Type
  /** When it happened at the sender, with 0 to 9 decimals. Store and compare `ctx.occurredAt` instead. */
  occurred_at: string
  organization_id: string
  spec_version?: string | null
  environment_id?: string | null
  object?: string | null
  display_name?: string | null
  data: Data
}

export interface UserCreatedEvent extends Envelope<'organization.directory.user_created', DirectoryUser> {}
export interface UserUpdatedEvent extends Envelope<'organization.directory.user_updated', DirectoryUser> {}
export interface UserDeletedEvent
  extends Envelope<'organization.directory.user_deleted', DeletedDirectoryUser> {}
export interface GroupCreatedEvent extends Envelope<'organization.directory.group_created', DirectoryGroup> {}
export interface GroupUpdatedEvent extends Envelope<'organization.directory.group_updated', DirectoryGroup> {}
export interface GroupDeletedEvent extends Envelope<'organization.directory.group_deleted', DirectoryGroup> {}
export interface DirectoryEnabledEvent extends Envelope<'organization.directory_enabled', Directory> {}
export interface DirectoryDisabledEvent extends Envelope<'organization.directory_disabled', Directory> {}

/** The eight events of a directory. */
export type DirectoryEvent =
  | UserCreatedEvent
  | UserUpdatedEvent
  | UserDeletedEvent
  | GroupCreatedEvent
  | GroupUpdatedEvent
  | GroupDeletedEvent
  | DirectoryEnabledEvent
  | DirectoryDisabledEvent

export type DirectoryEventType = DirectoryEvent['type']

/** Any other event of Scalekit's that comes to the same endpoint. */
export interface OtherEvent {
  id: string
  type: string
  occurred_at?: string
  organization_id?: string
  data: Record<string, unknown>
}

export type ScimEvent = DirectoryEvent | OtherEvent

/** Tells the eight directory events from all others, and narrows: `event.type` then decides `event.data`. */
export function isDirectoryEvent(event: ScimEvent): event is DirectoryEvent {
  return Object.hasOwn(directoryEvents, event.type)
}

/** What an event is about: a user, group or directory by its id within its organization; never by email. */
export interface Resource {
  kind: 'user' | 'group' | 'directory'
  organizationId: string
  id: string
}

export function resourceOf(event: DirectoryEvent): Resource {
  const { kind } = directoryEvents[event.type]
  return { kind, organizationId: event.organization_id, id: event.data.id }
}

export function isDeletion(event: DirectoryEvent): boolean {
  return directoryEvents[event.type].deletes
}

const text = z.string().nullish()
const record = z.record(z.string(), z.unknown()).nullish()
const flag = z.boolean().nullish()

export const userSchema = z.looseObject({
  id: z.string(),
  organization_id: z.string(),
  dp_id: text,
  active: flag,
  email: text,
  name: text,
  given_name: text,
  family_name: text,
  preferred_username: text,
  nickname: text,
  picture: text,
  phone_number: text,
  title: text,
  department: text,
  division: text,
  cost_center: text,
  employee_id: text,
  user_type: text,
  organization: text,
  language: text,
  locale: text,
  zoneinfo: text,
  profile: text,
  address: record,
  groups: z.array(z.looseObject({ id: z.string(), name: text })).nullish(),
  roles: z.array(z.looseObject({ role_name: z.string() })).nullish(),
  custom_attributes: record,
  raw_attributes: record,
})

export const deletedUserSchema = z.looseObject({
  id: z.string(),
  organization_id: z.string(),
  dp_id: text,
  email: text,
})

export const groupSchema = z.looseObject({
  id: z.string(),
  organization_id: z.string(),
  directory_id: text,
  display_name: text,
  external_id: text,
  dp_id: text,
  raw_attributes: record,
})

export const directorySchema = z.looseObject({
  id: z.string(),
  organization_id: z.string(),
  directory_type: text,
  provider: text,
  enabled: flag,
  updated_at: text,
  status: text,
  last_sync_at: text,
})

interface EventKind {
  kind: Resource['kind']
  deletes: boolean
  data: z.ZodType
}

const directoryEvents: Readonly<Record<DirectoryEventType, EventKind>> = {
  'organization.directory.user_created': { kind: 'user', deletes: false, data: userSchema },
  'organization.directory.user_updated': { kind: 'user', deletes: false, data: userSchema },
  'organization.directory.user_deleted': { kind: 'user', deletes: true, data: deletedUserSchema },
  'organization.directory.group_created': { kind: 'group', deletes: false, data: groupSchema },
  'organization.directory.group_updated': { kind: 'group', deletes: false, data: groupSchema },
  'organization.directory.group_deleted': { kind: 'group', deletes: true, data: groupSchema },
  'organization.directory_enabled': { kind: 'directory', deletes: false, data: directorySchema },
  'organization.directory_disabled': { kind: 'directory', deletes: false, data: directorySchema },
}

export const directoryEventTypes = Object.keys(directoryEvents) as readonly DirectoryEventType[]

/** An event that can be dispatched, with the moment that orders it and the fields that are not as documented. */
export interface ParsedEvent {
  event: ScimEvent
  /** Absent only where an event that is no directory event says no time. */
  occurredAt: Instant | undefined
  /** `data.email: invalid_type`, say: names, no values. */
  surprises: string[]
}

/** Why a payload is no event, for the log. */
export interface Unusable {
  unusable: string
}

/**
 * Reads a payload in either documented envelope: the reference's, with `id`, `occurred_at` and
 * `organization_id` on top, or the quickstart's, with `timestamp` and the organization inside `data`.
 * Unknown fields and types stay, and an optional field of an unexpected type is a surprise, not an error:
 * what a directory sends is not ours to refuse.
 */
export function parseEvent(payload: unknown, messageId: string): ParsedEvent | Unusable {
  if (!isObject(payload)) return { unusable: 'the payload is no JSON object' }
  if (!isUsableId(payload.type)) return { unusable: 'the payload has no `type`' }
  if (!isObject(payload.data)) return { unusable: 'the payload has no `data` object' }

  const time = payload.occurred_at ?? payload.timestamp
  const organizationId = payload.organization_id ?? payload.data.organization_id
  const event = {
    ...payload,
    id: isUsableId(payload.id) ? payload.id : messageId,
    ...(time == null ? {} : { occurred_at: time }),
    ...(organizationId == null ? {} : { organization_id: organizationId }),
  } as unknown as ScimEvent

  const occurredAt = parseInstant(time)
  if (!isDirectoryEvent(event)) return { event, occurredAt, surprises: [] }

  if (!isUsableId(event.data.id)) return { unusable: '`data.id` is missing: nothing else names the resource' }
  if (!isUsableId(organizationId)) return { unusable: '`organization_id` is missing, and in `data` too' }
  if (occurredAt === undefined) return { unusable: '`occurred_at` (or `timestamp`) is no RFC 3339 time' }
  if (event.data.organization_id == null) event.data = { ...event.data, organization_id: organizationId }
  return { event, occurredAt, surprises: surprisesIn(event) }
}

/** So many entries of a list are looked at: each that is wrong costs more than it tells, and a list can be long. */
const sampledEntries = 20

function surprisesIn(event: DirectoryEvent): string[] {
  const sample = Object.fromEntries(
    Object.entries(event.data).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.slice(0, sampledEntries) : value,
    ]),
  )
  const result = directoryEvents[event.type].data.safeParse(sample)
  if (result.success) return []
  return result.error.issues.map((issue) => `data.${issue.path.map(String).join('.')}: ${issue.code}`)
}

/** Ids become keys in stores of every kind, so no control characters (PostgreSQL), and no half characters. */
export function isUsableId(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length > 0 && value.length <= 512 && !/[\p{Cc}\p{Cs}]/u.test(value)
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
