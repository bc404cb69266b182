import type { Clock, Timer } from '../clock.ts'
import type { PostgresSession } from './postgres-session.ts'

const tables = ['messages', 'resources', 'records'] as const
/** So many rows a step, so that no step holds many locks, or the disk, for long. */
const rowsPerStep = 500
const betweenStepsMs = 100
const restMs = 30_000

/** One step over one table: what expired first, by the index on the expiry, but for rows that somebody holds. */
export function sweepStatement(schema: string, table: (typeof tables)[number]): string {
  const name = `${schema}.scalekit_scim_${table}`
  return `WITH swept AS (
  DELETE FROM ${name} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${name} WHERE expires_at <= now() ORDER BY expires_at LIMIT ${rowsPerStep}
    FOR UPDATE SKIP LOCKED
  )) AND expires_at <= now() RETURNING 1
) SELECT count(*)::int AS answer FROM swept`
}

/** Removes what has expired, outside of any request; several processes may do so at once. */
export class PostgresSweep {
  readonly #session: PostgresSession
  readonly #schema: string
  readonly #clock: Clock
  #timer: Timer | undefined
  #closed = false

  constructor(session: PostgresSession, schema: string, clock: Clock) {
    this.#session = session
    this.#schema = schema
    this.#clock = clock
    this.#rest()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  /** Processes that started together do not sweep together. */
  #rest(): void {
    this.#stepIn(restMs * (0.75 + Math.random() / 2))
  }

  #stepIn(delayMs: number): void {
    if (this.#closed) return
    this.#timer = this.#clock.setTimeout(() => void this.#step(), delayMs)
  }

  async #step(): Promise<void> {
    try {
      let most = 0
      for (const table of tables) {
        const swept = await this.#session.ask(`sweep_${table}`, sweepStatement(this.#schema, table))
        most = Math.max(most, Number(swept))
      }
      if (most >= rowsPerStep) return this.#stepIn(betweenStepsMs)
    } catch {
      // The verbs log what ails the store; the rows can wait.
    }
    this.#rest()
  }
}
