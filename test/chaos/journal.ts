import { Pool } from 'pg'

/** One run of a handler. Times are those of the machine's monotonic clock, which all processes share. */
export interface Run {
  messageId: string
  userId: string
  /** The process that ran the handler. */
  instance: string
  startedNs: bigint
  /** Whether the guard accepted the row. `undefined` if the run did not reach its write. */
  wrote: boolean | undefined
  /** The time after the commit of the effect. `undefined` if the process was killed before the commit. */
  endedNs: bigint | undefined
}

export interface Account {
  state: string
  deleted: boolean
  occurredAt: string
}

/** The row that a handler writes. */
export interface AccountChange extends Account {
  organizationId: string
  id: string
}

const tables = `
  CREATE TABLE runs (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text NOT NULL, user_id text NOT NULL, instance text NOT NULL,
    started_ns bigint NOT NULL, wrote boolean, ended_ns bigint
  );
  CREATE TABLE accounts (
    organization_id text, id text, state text NOT NULL, deleted boolean NOT NULL, scim_occurred_at text NOT NULL,
    PRIMARY KEY (organization_id, id)
  )`

// One statement contains the README's guard and the record of the effect, so both are in one transaction.
const guardedWrite = `
  WITH written AS (
    INSERT INTO accounts (organization_id, id, state, deleted, scim_occurred_at) VALUES ($2, $3, $4, $5, $6)
    ON CONFLICT (organization_id, id) DO UPDATE
      SET state = excluded.state, deleted = excluded.deleted, scim_occurred_at = excluded.scim_occurred_at
      WHERE accounts.scim_occurred_at < excluded.scim_occurred_at
         OR (accounts.scim_occurred_at = excluded.scim_occurred_at AND (excluded.deleted OR NOT accounts.deleted))
    RETURNING 1
  )
  UPDATE runs SET wrote = EXISTS (SELECT FROM written) WHERE run = $1`

/** The handler runs of a fleet and the rows that they wrote, in real tables. */
export class Journal {
  readonly #pool: Pool
  readonly #schema: string

  constructor(url: string, schema: string, connections = 2) {
    this.#pool = new Pool({
      connectionString: `${url}?options=${encodeURIComponent(`-c search_path=${schema}`)}`,
      max: connections,
    })
    this.#pool.on('error', () => {})
    this.#schema = schema
  }

  async create(): Promise<void> {
    await this.#pool.query(`CREATE SCHEMA ${this.#schema}`)
    await this.#pool.query(tables)
  }

  async drop(): Promise<void> {
    await this.#pool.query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`)
    await this.close()
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  /** Records the start of a run, and returns its number. */
  async started(messageId: string, userId: string, instance: string): Promise<unknown> {
    const { rows } = await this.#pool.query(
      'INSERT INTO runs (message_id, user_id, instance, started_ns) VALUES ($1, $2, $3, $4) RETURNING run',
      [messageId, userId, instance, process.hrtime.bigint()],
    )
    return rows[0]?.run
  }

  async write(
    run: unknown,
    { organizationId, id, state, deleted, occurredAt }: AccountChange,
  ): Promise<void> {
    await this.#pool.query(guardedWrite, [run, organizationId, id, state, deleted, occurredAt])
  }

  async ended(run: unknown): Promise<void> {
    await this.#pool.query('UPDATE runs SET ended_ns = $2 WHERE run = $1', [run, process.hrtime.bigint()])
  }

  /** Returns all runs, in the order of their start. */
  async runs(): Promise<Run[]> {
    const { rows } = await this.#pool.query('SELECT * FROM runs ORDER BY started_ns')
    return rows.map((row) => ({
      messageId: String(row.message_id),
      userId: String(row.user_id),
      instance: String(row.instance),
      startedNs: BigInt(String(row.started_ns)),
      wrote: row.wrote === null ? undefined : row.wrote === true,
      endedNs: row.ended_ns === null ? undefined : BigInt(String(row.ended_ns)),
    }))
  }

  async accounts(): Promise<Map<string, Account>> {
    const { rows } = await this.#pool.query('SELECT id, state, deleted, scim_occurred_at FROM accounts')
    return new Map(
      rows.map((row) => [
        String(row.id),
        {
          state: String(row.state),
          deleted: row.deleted === true,
          occurredAt: String(row.scim_occurred_at),
        },
      ]),
    )
  }
}
