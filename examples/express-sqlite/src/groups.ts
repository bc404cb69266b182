import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { transaction } from './database.ts'
import { beforeAllEvents, type GuardedRow, mayWrite } from './newest-wins.ts'

/** The fields of a group that the directory sync compares. A field is `null` before the first event with the field. */
export interface KnownGroup {
  id: string
  organizationId: string
  occurredAt: string | null
  directoryId: string | null
}

export interface GroupKey {
  organizationId: string
  id: string
}

/** The fields of an event. If a field is `undefined`, its stored value does not change. */
export interface GroupChange extends GroupKey {
  occurredAt: string
  directoryId: string | undefined
  name: string | undefined
}

/** The groups of the customers. Only user events have memberships, so `Accounts` writes the memberships. */
export class Groups {
  readonly #database: DatabaseSync
  readonly #find: StatementSync
  readonly #save: StatementSync
  readonly #mention: StatementSync
  readonly #known: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#find = database.prepare('SELECT * FROM groups WHERE organization_id = :organizationId AND id = :id')
    this.#save = database.prepare(`
      INSERT INTO groups (organization_id, id, directory_id, state, name, scim_occurred_at)
      VALUES (:organizationId, :id, :directoryId, :state, :name, :occurredAt)
      ON CONFLICT DO UPDATE SET
        directory_id = coalesce(excluded.directory_id, directory_id),
        state = excluded.state, name = excluded.name, scim_occurred_at = excluded.scim_occurred_at`)
    this.#known = database.prepare(`
      SELECT id, organization_id, scim_occurred_at, directory_id FROM groups
      WHERE organization_id = :organizationId AND state <> 'deleted'`)
    this.#mention = database.prepare(`
      INSERT INTO groups (organization_id, id, state, name, scim_occurred_at)
      VALUES (:organizationId, :id, 'active', :name, '${beforeAllEvents}')
      ON CONFLICT DO UPDATE SET name = coalesce(excluded.name, name)
      WHERE scim_occurred_at = '${beforeAllEvents}'`)
  }

  /** Yields all groups of a customer, without tombstones. A group without an event of its own does not have a time. */
  known(organizationId: string): KnownGroup[] {
    return this.#known.all({ organizationId }).map((row) => ({
      id: String(row.id),
      organizationId: String(row.organization_id),
      occurredAt: row.scim_occurred_at === beforeAllEvents ? null : String(row.scim_occurred_at),
      directoryId: row.directory_id === null ? null : String(row.directory_id),
    }))
  }

  /** If the row is newer than the event, writes nothing and returns `false`. */
  upsert({ organizationId, id, name, directoryId, occurredAt }: GroupChange): boolean {
    return transaction(this.#database, () => {
      const row = this.#row({ organizationId, id })
      if (!mayWrite(row, { occurredAt })) return false
      this.#save.run({
        organizationId,
        id,
        directoryId: directoryId ?? null,
        state: 'active',
        name: name ?? row?.name ?? null,
        occurredAt,
      })
      return true
    })
  }

  /**
   * Does not change memberships or roles, because Scalekit also sends an update of each member. If the row is newer
   * than the event, writes nothing and returns `false`.
   */
  delete({ organizationId, id }: GroupKey, occurredAt: string): boolean {
    return transaction(this.#database, () => {
      const row = this.#row({ organizationId, id })
      if (!mayWrite(row, { occurredAt, isDeletion: true })) return false
      const kept = { directoryId: null, name: row?.name ?? null }
      this.#save.run({ organizationId, id, ...kept, state: 'deleted', occurredAt })
      return true
    })
  }

  /**
   * Writes a stub of a group, because a user event can name a group before the group's own event arrives. Call this
   * method inside a transaction.
   */
  mention({ organizationId, id, name }: GroupKey & { name: string | null }): void {
    this.#mention.run({ organizationId, id, name })
  }

  #row(key: GroupKey): (GuardedRow & { name: string | null }) | undefined {
    const row = this.#find.get({ ...key })
    return (
      row && {
        state: String(row.state),
        occurredAt: String(row.scim_occurred_at),
        name: row.name === null ? null : String(row.name),
      }
    )
  }
}
