import { sampleEvent } from '@scalekit-scim/core/testing'
import type { DirectoryUser } from '@scalekit-scim/express'

export const organizationId = 'org_1'
export const id = 'diruser_1'

export const user = (time: string, data: Partial<DirectoryUser> = {}) =>
  sampleEvent('organization.directory.user_updated', {
    occurred_at: `2026-11-23T${time}Z`,
    data: { id, organization_id: organizationId, ...data },
  })

/** The fields of an update in which each value is null. */
export const everythingNull = {
  active: null,
  email: null,
  name: null,
  given_name: null,
  family_name: null,
  groups: null,
  roles: null,
}

/** An update that has only the given fields. */
export const sparse = (time: string, data: Partial<DirectoryUser> = {}) => ({
  ...user(time),
  data: { id, organization_id: organizationId, ...data },
})

export const deletion = (time: string) =>
  sampleEvent('organization.directory.user_deleted', {
    occurred_at: `2026-11-23T${time}Z`,
    data: { id, organization_id: organizationId },
  })

export const group = (time: string, name: string | null) =>
  sampleEvent('organization.directory.group_updated', {
    occurred_at: `2026-11-23T${time}Z`,
    data: { id: 'dirgroup_1', organization_id: organizationId, display_name: name },
  })

export const groupDeletion = (time: string) =>
  sampleEvent('organization.directory.group_deleted', {
    occurred_at: `2026-11-23T${time}Z`,
    data: { id: 'dirgroup_1', organization_id: organizationId },
  })
