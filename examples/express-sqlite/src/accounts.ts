import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { transaction } from './database.ts'
import type { Groups } from './groups.ts'
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
  groups: { id: string; name: string | null }[] | undefined
}

const knownAtOnce = 1000

export class Accounts {
  readonly #database: DatabaseSync
  readonly #groups: Groups
  readonly #find: StatementSync
  readonly #save: StatementSync
  readonly #leaveGroups: StatementSync
  readonly #joinGroup: StatementSync
  readonly #newest: StatementSync
  readonly #count: StatementSync
  readonly #known: StatementSync

  constructor(database: DatabaseSync, groups: Groups) {
    this.#database = database
    this.#groups = groups
    this.#find = database.prepare(`
      ${selectAccounts} WHERE accounts.organization_id = :organizationId AND accounts.id = :id`)
    this.#newest = database.prepare(`
      ${selectAccounts} ORDER BY accounts.scim_occurred_at DESC, accounts.id LIMIT :limit`)
    this.#count = database.prepare('SELECT count(*) AS count FROM accounts')
    this.#known = database.prepare(`
      SELECT id, organization_id, scim_occurred_at, directory_id, (
        SELECT json_group_array(group_id) FROM memberships
        WHERE memberships.organization_id = accounts.organization_id AND memberships.account_id = accounts.id
      ) AS group_ids
      FROM accounts
      WHERE organization_id = :organizationId AND id > :after AND state <> 'deleted'
      ORDER BY id LIMIT ${knownAtOnce}`)
    this.#save = database.prepare(`
      INSERT INTO accounts (organization_id, id, directory_id, state, email, name, roles, scim_occurred_at)
      VALUES (:organizationId, :id, :directoryId, :state, :email, :name, :roles, :occurredAt)
      ON CONFLICT DO UPDATE SET
        directory_id = coalesce(excluded.directory_id, directory_id),
        state = excluded.state, email = excluded.email, name = excluded.name, roles = excluded.roles,
        scim_occurred_at = excluded.scim_occurred_at`)
    this.#leaveGroups = database.prepare(
      'DELETE FROM memberships WHERE organization_id = :organizationId AND account_id = :id',
    )
    this.#joinGroup = database.prepare(`
      INSERT INTO memberships (organization_id, account_id, group_id)
      VALUES (:organizationId, :id, :groupId) ON CONFLICT DO NOTHING`)
  }

  /** If the row is newer than the event, writes nothing and returns `false`. */
  upsert({ organizationId, id, occurredAt, ...change }: AccountChange): boolean {
    const key = { organizationId, id }
    return transaction(this.#database, () => {
      const row = this.find(key)
      if (!mayWrite(row, { occurredAt })) return false
      // A user who returns after a deletion gets a new account.
      const known = row?.state === 'deleted' ? undefined : row
      this.#save.run({
        ...key,
        directoryId: change.directoryId ?? null,
        state: stateAfter(change.active, known),
        email: change.email ?? known?.email ?? null,
        name: change.name ?? known?.name ?? null,
        roles: JSON.stringify(change.roles ?? known?.roles ?? [defaultRole]),
        occurredAt,
      })
      if (change.groups) this.#moveTo(change.groups, key)
      return true
    })
  }

  /**
   * Replaces the account with a tombstone without personal data. If the account does not exist, also writes a
   * tombstone, because the creation can arrive later. If the row is newer than the event, writes nothing and returns
   * `false`.
   */
  delete(key: AccountKey, occurredAt: string): boolean {
    return transaction(this.#database, () => {
      if (!mayWrite(this.find(key), { occurredAt, isDeletion: true })) return false
      const nothing = { directoryId: null, email: null, name: null, roles: '[]' }
      this.#save.run({ ...key, ...nothing, state: 'deleted', occurredAt })
      this.#leaveGroups.run({ ...key })
      return true
    })
  }

  find({ organizationId, id }: AccountKey): Account | undefined {
    const row = this.#find.get({ organizationId, id })
    return row && toAccount(row)
  }

  /** Returns the accounts with the latest changes, the newest change first. */
  newest(limit: number): Account[] {
    return this.#newest.all({ limit }).map(toAccount)
  }

  /**
   * Yields all accounts of a customer, without tombstones. Reads in batches, so that the application can write events
   * between two batches.
   */
  *known(organizationId: string): Iterable<KnownAccount> {
    for (let after = ''; ; ) {
      const rows = this.#known.all({ organizationId, after })
      yield* rows.map(toKnownAccount)
      if (rows.length < knownAtOnce) return
      after = String(rows.at(-1)?.id)
    }
  }

  count(): number {
    return Number(this.#count.get()?.count)
  }

  #moveTo(groups: NonNullable<AccountChange['groups']>, key: AccountKey): void {
    this.#leaveGroups.run({ ...key })
    for (const { id, name } of groups) {
      this.#groups.mention({ organizationId: key.organizationId, id, name })
      this.#joinGroup.run({ ...key, groupId: id })
    }
  }
}

const selectAccounts = `
  SELECT accounts.*, (
    SELECT json_group_array(coalesce(groups.name, groups.id) ORDER BY coalesce(groups.name, groups.id))
    FROM memberships JOIN groups
      ON groups.organization_id = memberships.organization_id AND groups.id = memberships.group_id
    WHERE memberships.organization_id = accounts.organization_id AND memberships.account_id = accounts.id
      AND groups.state = 'active'
  ) AS group_names
  FROM accounts`

/**
 * RFC 7643, 4.1.1: `active` determines whether the user can sign in. An event without `active` does not change the
 * state.
 */
function stateAfter(active: boolean | undefined, known: Account | undefined): AccountState {
  if (active === undefined) return known?.state ?? 'active'
  return active ? 'active' : 'deactivated'
}

function toKnownAccount(row: Record<string, SQLOutputValue>): KnownAccount {
  return {
    id: String(row.id),
    organizationId: String(row.organization_id),
    occurredAt: String(row.scim_occurred_at),
    groupIds: JSON.parse(String(row.group_ids)),
    directoryId: row.directory_id === null ? null : String(row.directory_id),
  }
}

function toAccount(row: Record<string, SQLOutputValue>): Account {
  return {
    organizationId: String(row.organization_id),
    id: String(row.id),
    // The column's CHECK allows only the three states.
    state: row.state as AccountState,
    email: row.email === null ? null : String(row.email),
    name: row.name === null ? null : String(row.name),
    roles: JSON.parse(String(row.roles)),
    groups: JSON.parse(String(row.group_names)),
    occurredAt: String(row.scim_occurred_at),
  }
}
