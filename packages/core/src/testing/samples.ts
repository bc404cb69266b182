import { formatInstant, instantFromMs } from '../base/instant.ts'
import { completeLogger } from '../base/logger.ts'
import { omitUndefined } from '../base/objects.ts'
import type { DirectoryEvent, DirectoryEventType } from '../events/events.ts'
import type { HandlerContext } from '../events/handlers.ts'

const organizationId = 'org_69615647365005430'
const directoryId = 'dir_69615647365005431'

const user = {
  id: 'diruser_53891546960232461',
  organization_id: organizationId,
  dp_id: '00u1a2b3c4d5e6f7g8h9',
  active: true,
  email: 'amelia.hart@example.com',
  name: 'Amelia Hart',
  given_name: 'Amelia',
  family_name: 'Hart',
  preferred_username: 'amelia.hart',
  title: 'Engineer',
  department: 'Platform',
  employee_id: '1042',
  language: 'en',
  locale: 'en-GB',
  groups: [{ id: 'dirgroup_53891546960232462', name: 'Engineering' }],
  roles: [{ role_name: 'member' }],
  custom_attributes: {},
  raw_attributes: {},
}

const group = {
  id: 'dirgroup_53891546960232462',
  organization_id: organizationId,
  directory_id: directoryId,
  display_name: 'Engineering',
  external_id: null,
  dp_id: '00g1a2b3c4d5e6f7g8h9',
  raw_attributes: {},
}

const directory = {
  id: directoryId,
  organization_id: organizationId,
  directory_type: 'SCIM',
  provider: 'OKTA',
  enabled: true,
  updated_at: '2026-11-23T09:00:00Z',
  status: 'ACTIVE',
}

const { id, organization_id, dp_id, email } = user

const data: { readonly [Type in DirectoryEventType]: Extract<DirectoryEvent, { type: Type }>['data'] } = {
  'organization.directory.user_created': user,
  'organization.directory.user_updated': user,
  'organization.directory.user_deleted': { id, organization_id, dp_id, email },
  'organization.directory.group_created': group,
  'organization.directory.group_updated': group,
  'organization.directory.group_deleted': group,
  'organization.directory_enabled': directory,
  'organization.directory_disabled': { ...directory, enabled: false },
}

const objects = { user: 'DirectoryUser', group: 'DirectoryGroup', directory: 'Directory' }

/** The fields to change in a sample, in the envelope and in its `data`. `undefined` removes a field. */
export type EventPatch<Event extends DirectoryEvent> = Patch<Omit<Event, 'type' | 'data'>> & {
  data?: Patch<Event['data']>
}

type Patch<Fields> = { [Name in keyof Fields]?: Fields[Name] | undefined }

/**
 * Returns a new sample of a directory event, with the fields of Scalekit's reference.
 *
 * @example
 * sampleEvent('organization.directory.user_updated', { data: { active: false, groups: undefined } })
 */
export function sampleEvent<Type extends DirectoryEventType>(
  type: Type,
  patch: EventPatch<Extract<DirectoryEvent, { type: Type }>> = {},
): Extract<DirectoryEvent, { type: Type }> {
  const kind = type.includes('user') ? 'user' : type.includes('group') ? 'group' : 'directory'
  const { data: dataPatch, ...envelope } = patch
  const event = {
    spec_version: '1',
    id: 'evt_55136848686613000',
    type,
    occurred_at: '2026-11-23T09:00:00.153954Z',
    environment_id: 'env_55136848686612999',
    organization_id: dataPatch?.organization_id ?? organizationId,
    object: objects[kind],
    ...envelope,
    data: omitUndefined({ ...structuredClone(data[type]), ...dataPatch }),
  }
  return omitUndefined(event) as unknown as Extract<DirectoryEvent, { type: Type }>
}

/** Returns a handler context, for calls of your handler in a unit test. */
export function sampleContext(patch: Partial<HandlerContext> = {}): HandlerContext {
  const nowMs = Date.now()
  return {
    source: 'webhook',
    idempotencyKey: 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W',
    occurredAt: formatInstant(instantFromMs(nowMs)),
    deadline: new Date(nowMs + 9000),
    signal: new AbortController().signal,
    log: completeLogger(false),
    ...patch,
  }
}
