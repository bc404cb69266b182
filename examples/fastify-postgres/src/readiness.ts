import { randomUUID } from 'node:crypto'
import type { Ledger } from '@scalekit-scim/fastify'
import type { Pool } from 'pg'

/**
 * The time for which the check reuses an answer. Within this time, many requests cause only one check of each
 * dependency.
 */
const freshMs = 2000

/**
 * The rights that an event needs. `SELECT 1` is not enough, because it also works on a replica and without these
 * rights.
 */
const rights = [
  ['accounts', ['SELECT', 'INSERT', 'UPDATE']],
  ['groups', ['SELECT', 'INSERT', 'UPDATE']],
  ['memberships', ['SELECT', 'INSERT', 'DELETE']],
] as const

const mayWrite = rights
  .flatMap(([table, needed]) => needed.map((right) => `has_table_privilege('${table}', '${right}')`))
  .join(' AND ')

/**
 * If the service cannot write accounts, rejects. Possible causes are a missing server, table or right, a replica, or a
 * read-only database.
 */
export async function tryDatabase(pool: Pool): Promise<void> {
  const { rows } = await pool.query(
    `SELECT ${mayWrite} AS "mayWrite", current_setting('transaction_read_only') = 'on' AS "isReadOnly"`,
  )
  if (rows[0]?.isReadOnly !== false)
    throw Object.assign(new Error('the database is read-only'), { code: '25006' })
  if (rows[0].mayWrite !== true) throw Object.assign(new Error('a right is missing'), { code: '42501' })
}

const resource = `ready-${randomUUID()}`
/** If the process ends before it releases the claim, the claim expires after this time. */
const leaseSeconds = 5

/**
 * If the ledger cannot begin an event, rejects. Calls the ledger as a webhook does, with a test message and a test
 * resource.
 */
export async function tryLedger(ledger: Ledger): Promise<void> {
  const messageId = `ready-${randomUUID()}`
  const token = messageId
  const begun = await ledger.begin({ token, messageId, resource, leaseSeconds })
  if (begun.state !== 'begun') throw new Error(`the ledger answered ${begun.state} to a new message`)
  await ledger.release({ token, messageId, resource, deletion: false, ...begun })
  await ledger.forgetResource(resource)
}

/**
 * Reuses an answer for a short time, including a failure. Without the reuse, each request from outside causes a write.
 */
export function remembered<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let last: { answer: Promise<Answer>; atMs: number } | undefined
  return () => {
    const nowMs = performance.now()
    if (!last || nowMs - last.atMs >= freshMs) last = { answer: ask(), atMs: nowMs }
    return last.answer
  }
}
