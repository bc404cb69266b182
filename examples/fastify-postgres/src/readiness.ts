import { randomUUID } from 'node:crypto'
import type { Ledger } from '@scalekit-scim/fastify'
import type { Pool } from 'pg'

/** How long an answer is good: however many ask, each part is tried no more often than this. */
const freshMs = 2000

/** The rights that an event needs. A replica, or a role without them, would also answer `SELECT 1`. */
const rights = [
  ['accounts', ['SELECT', 'INSERT', 'UPDATE']],
  ['groups', ['SELECT', 'INSERT', 'UPDATE']],
  ['memberships', ['SELECT', 'INSERT', 'DELETE']],
] as const

const mayWrite = rights
  .flatMap(([table, needed]) => needed.map((right) => `has_table_privilege('${table}', '${right}')`))
  .join(' AND ')

/** Rejects where the accounts could not be written: no server, no table, no right, a replica, a read-only database. */
export async function tryDatabase(pool: Pool): Promise<void> {
  const { rows } = await pool.query(
    `SELECT ${mayWrite} AS "mayWrite", current_setting('transaction_read_only') = 'on' AS "isReadOnly"`,
  )
  if (rows[0]?.isReadOnly !== false)
    throw Object.assign(new Error('the database is read-only'), { code: '25006' })
  if (rows[0].mayWrite !== true) throw Object.assign(new Error('a right is missing'), { code: '42501' })
}

const resource = `ready-${randomUUID()}`
/** Should the process end in between, the claim goes by itself. */
const leaseSeconds = 5

/** Rejects where no event could begin: what a webhook does to the ledger, with a message and a resource of our own. */
export async function tryLedger(ledger: Ledger): Promise<void> {
  const messageId = `ready-${randomUUID()}`
  const token = messageId
  const begun = await ledger.begin({ token, messageId, resource, leaseSeconds })
  if (begun.state !== 'begun') throw new Error(`the ledger has ${begun.state} for a message that is new`)
  await ledger.release({ token, messageId, resource, deletion: false, ...begun })
  await ledger.forgetResource(resource)
}

/** The same answer for a while, good or bad: a write each time that somebody asks would be theirs to choose. */
export function remembered<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let last: { answer: Promise<Answer>; atMs: number } | undefined
  return () => {
    const nowMs = performance.now()
    if (!last || nowMs - last.atMs >= freshMs) last = { answer: ask(), atMs: nowMs }
    return last.answer
  }
}
