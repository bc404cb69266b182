import type { Pool, PoolClient } from 'pg'
import { beforeAllEvents, mayWrite } from './newest-wins.ts'

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

/** A group in a user event. */
export interface NamedGroup {
  id: string
  name: string | null
}

/** The groups of the customers. Only user events have memberships, so `Accounts` writes the memberships. */
export class Groups {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Yields all groups of a customer, without tombstones. A group without an event of its own does not have a time. */
  async known(organizationId: string): Promise<KnownGroup[]> {
    const { rows } = await this.#pool.query<KnownGroup>(
      `SELECT id, organization_id AS "organizationId", directory_id AS "directoryId",
        nullif(scim_occurred_at, '${beforeAllEvents}') AS "occurredAt"
      FROM groups
      WHERE organization_id = $1 AND state <> 'deleted'`,
      [organizationId],
    )
    return rows
  }

  /** If the row is newer than the event, writes nothing and returns `false`. */
  upsert({ organizationId, id, name, directoryId, occurredAt }: GroupChange): Promise<boolean> {
    return this.#write([organizationId, id, 'active', name ?? null, occurredAt, directoryId ?? null])
  }

  /**
   * Does not change memberships or roles, because Scalekit also sends an update of each member. If the row is newer
   * than the event, writes nothing and returns `false`.
   */
  delete({ organizationId, id }: GroupKey, occurredAt: string): Promise<boolean> {
    return this.#write([organizationId, id, 'deleted', null, occurredAt, null])
  }

  async #write(values: (string | null)[]): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO groups (organization_id, id, state, name, scim_occurred_at, directory_id)
      VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (organization_id, id) DO UPDATE SET
        directory_id = coalesce(excluded.directory_id, groups.directory_id),
        state = excluded.state, name = coalesce(excluded.name, groups.name),
        scim_occurred_at = excluded.scim_occurred_at
      WHERE ${mayWrite('groups')}`,
      values,
    )
    return rowCount === 1
  }
}

/**
 * Writes a stub of each new group, because a user event can name groups before their own events arrive. Call this
 * function inside a transaction.
 *
 * Skips groups that do not need a write. If this function wrote all groups, events of their members would wait for each
 * other's locks. Writes groups in the order of their ids, because a different order in two transactions can cause a
 * deadlock.
 */
export async function mentionGroups(
  client: PoolClient,
  organizationId: string,
  groups: readonly NamedGroup[],
): Promise<void> {
  await client.query(
    `INSERT INTO groups (organization_id, id, state, name, scim_occurred_at)
    SELECT $1, named.id, 'active', named.name, '${beforeAllEvents}'
    FROM unnest($2::text[], $3::text[]) AS named (id, name)
    LEFT JOIN groups ON groups.organization_id = $1 AND groups.id = named.id
    WHERE groups.id IS NULL
      OR (groups.scim_occurred_at = '${beforeAllEvents}' AND groups.name IS DISTINCT FROM coalesce(named.name, groups.name))
    ORDER BY named.id COLLATE "C"
    ON CONFLICT (organization_id, id) DO UPDATE SET name = coalesce(excluded.name, groups.name)
      WHERE groups.scim_occurred_at = '${beforeAllEvents}'`,
    [organizationId, groups.map(({ id }) => id), groups.map(({ name }) => name)],
  )
}
