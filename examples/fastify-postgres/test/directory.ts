import { randomUUID } from 'node:crypto'
import { sampleEvent } from '@scalekit-scim/core/testing'
import type { DirectoryUser } from '@scalekit-scim/fastify'

export const id = 'diruser_1'
export const inGroup = (name: string) => ({ groups: [{ id: 'dirgroup_1', name }] })

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

/**
 * Creates the events of a customer's directory. Each customer has its own organization, so tests can share a
 * database.
 */
export class Directory {
  readonly organizationId = `org_${randomUUID()}`
  readonly key = { organizationId: this.organizationId, id }

  user(time: string, data: Partial<DirectoryUser> = {}) {
    return sampleEvent('organization.directory.user_updated', this.#event(time, data))
  }

  /** An update that has only the given fields. */
  sparse(time: string, data: Partial<DirectoryUser> = {}) {
    return { ...this.user(time), data: { id, organization_id: this.organizationId, ...data } }
  }

  deletion(time: string) {
    return sampleEvent('organization.directory.user_deleted', this.#event(time, {}))
  }

  group(time: string, display_name: string | null) {
    return sampleEvent('organization.directory.group_updated', this.#group(time, { display_name }))
  }

  groupDeletion(time: string) {
    return sampleEvent('organization.directory.group_deleted', this.#group(time, {}))
  }

  #event<Data extends object>(time: string, data: Data) {
    return {
      occurred_at: `2026-11-23T${time}Z`,
      data: { id, organization_id: this.organizationId, ...data },
    }
  }

  #group(time: string, data: { display_name?: string | null }) {
    return this.#event(time, { id: 'dirgroup_1', ...data })
  }
}
