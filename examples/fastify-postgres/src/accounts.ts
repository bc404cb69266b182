import type { Pool, PoolClient } from 'pg'
import { transaction } from './database.ts'
import { mentionGroups, type NamedGroup } from './groups.ts'
import { mayWrite } from './newest-wins.ts'
import { defaultRole, type Role } from './roles.ts'

export type AccountState = 'active' | 'deactivated' | 'deleted'

export interface AccountKey {
  organizationId: string
  /** `diruser_…` */
  id: string
}

export interface Account extends AccountKey {
  state: AccountState
  email: string | null
  name: string | null
  /** The roles, with the highest role first. */
  roles: Role[]
  /** The names of the user's groups, without deleted groups. For a group without a name, the list contains the id. */
  groups: string[]
  /** The time of the newest event that was written to this account. */
  occurredAt: string
}

/** The fields of an account that the directory sync compares. */
export interface KnownAccount {
  id: string
  organizationId: string
  occurredAt: string
  groupIds: string[]
  /** `null` before the first event with the directory id. */
  directoryId: string | null
}

/** The fields of an event. If a field is `undefined`, its stored value does not change. */
export interface AccountChange extends AccountKey {
  occurredAt: string
  directoryId: string | undefined
  active: boolean | undefined
  email: string | undefined
  name: string | undefined
  roles: Role[] | undefined
  groups: NamedGroup[] | undefined
}

const knownAtOnce = 1000

export class Accounts {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /**
   * If the row is newer than the event, writes nothing and returns `false`. A user who returns after a deletion gets a
   * new account, because a tombstone does not contain personal data.
   */
  upsert(change: AccountChange): Promise<boolean> {
    const { organizationId, id, directoryId, active, email, name, roles, groups, occurredAt } = change
    // RFC 7643, 4.1.1: `active` determines whether the user can sign in. An event without `active` does not change the
    // state.
    const state = active === undefined ? null : active ? 'active' : 'deactivated'
    return transaction(this.#pool, async (client) => {
      const { rowCount } = await client.query(
        `INSERT INTO accounts (organization_id, id, state, email, name, roles, scim_occurred_at, directory_id)
        VALUES ($1, $2, coalesce($3, 'active'), $4, $5, coalesce($6::text[], $7::text[]), $8, $9)
        ON CONFLICT (organization_id, id) DO UPDATE SET
          directory_id = coalesce(excluded.directory_id, accounts.directory_id),
          state = CASE WHEN $3 IS NULL AND accounts.state <> 'deleted' THEN accounts.state ELSE excluded.state END,
          email = coalesce(excluded.email, accounts.email),
          name = coalesce(excluded.name, accounts.name),
          roles = CASE WHEN $6 IS NULL AND accounts.state <> 'deleted' THEN accounts.roles ELSE excluded.roles END,
          scim_occurred_at = excluded.scim_occurred_at
        WHERE ${mayWrite('accounts')}`,
        [organizationId, id, state, email, name, roles, [defaultRole], occurredAt, directoryId],
      )
      if (rowCount !== 1) return false
      if (groups) await moveTo(client, { organizationId, id }, groups)
      return true
    })
  }

  /**
   * Replaces the account with a tombstone without personal data. If the account does not exist, also writes a
   * tombstone, because the creation can arrive later. If the row is newer than the event, writes nothing and returns
   * `false`.
   */
  delete({ organizationId, id }: AccountKey, occurredAt: string): Promise<boolean> {
    return transaction(this.#pool, async (client) => {
      const { rowCount } = await client.query(
        `INSERT INTO accounts (organization_id, id, state, roles, scim_occurred_at)
        VALUES ($1, $2, 'deleted', '{}', $3)
        ON CONFLICT (organization_id, id) DO UPDATE SET
          state = excluded.state, email = NULL, name = NULL, roles = excluded.roles,
          scim_occurred_at = excluded.scim_occurred_at
        WHERE ${mayWrite('accounts')}`,
        [organizationId, id, occurredAt],
      )
      if (rowCount !== 1) return false
      await moveTo(client, { organizationId, id }, [])
      return true
    })
  }

  /** Yields all accounts of a customer, without tombstones. Reads in batches. */
  async *known(organizationId: string): AsyncIterable<KnownAccount> {
    for (let after = ''; ; ) {
      const { rows } = await this.#pool.query<KnownAccount>(
        `SELECT id, organization_id AS "organizationId", scim_occurred_at AS "occurredAt", directory_id AS "directoryId", ARRAY(
          SELECT group_id FROM memberships
          WHERE memberships.organization_id = accounts.organization_id AND memberships.account_id = accounts.id
        ) AS "groupIds"
        FROM accounts
        WHERE organization_id = $1 AND id > $2 AND state <> 'deleted'
        ORDER BY id LIMIT $3`,
        [organizationId, after, knownAtOnce],
      )
      yield* rows
      const last = rows.at(-1)
      if (!last || rows.length < knownAtOnce) return
      after = last.id
    }
  }

  async find({ organizationId, id }: AccountKey): Promise<Account | undefined> {
    const { rows } = await this.#pool.query<Account>(
      `${selectAccounts} WHERE accounts.organization_id = $1 AND accounts.id = $2`,
      [organizationId, id],
    )
    return rows[0]
  }

  /**
   * Returns the accounts after the key `after`, in the order of their keys. The time of the query does not depend on
   * the page.
   */
  async page(limit: number, after?: AccountKey): Promise<Account[]> {
    const { rows } = await this.#pool.query<Account>(
      `${selectAccounts} WHERE (accounts.organization_id, accounts.id) > ($1, $2)
      ORDER BY accounts.organization_id, accounts.id LIMIT $3`,
      [after?.organizationId ?? '', after?.id ?? '', limit],
    )
    return rows
  }
}

async function moveTo(
  client: PoolClient,
  { organizationId, id }: AccountKey,
  groups: readonly NamedGroup[],
): Promise<void> {
  const byId = [...new Map(groups.map((group) => [group.id, group])).values()]
  const values = [organizationId, id, byId.map((group) => group.id)]
  await client.query(
    'DELETE FROM memberships WHERE organization_id = $1 AND account_id = $2 AND group_id <> ALL ($3::text[])',
    values,
  )
  if (byId.length === 0) return
  await mentionGroups(client, organizationId, byId)
  await client.query(
    `INSERT INTO memberships (organization_id, account_id, group_id) SELECT $1, $2, unnest($3::text[])
    ON CONFLICT DO NOTHING`,
    values,
  )
}

const selectAccounts = `
  SELECT accounts.organization_id AS "organizationId", accounts.id, accounts.state, accounts.email, accounts.name,
    accounts.roles, accounts.scim_occurred_at AS "occurredAt",
    ARRAY(
      SELECT coalesce(groups.name, groups.id) COLLATE "C"
      FROM memberships JOIN groups USING (organization_id)
      WHERE groups.id = memberships.group_id AND groups.state = 'active'
        AND memberships.organization_id = accounts.organization_id AND memberships.account_id = accounts.id
      ORDER BY 1
    ) AS groups
  FROM accounts`
