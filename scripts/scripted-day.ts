import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { signDelivery } from '@scalekit-scim/core/testing'
import type { App } from './app-process.ts'
import { type Delivery, type EndState, eveningOf, workingDay } from './day.ts'
import { bad, dim, good } from './terminal.ts'

// Node's SQLite is still experimental, and its module prints a warning when it is loaded. The next line hides this
// warning, so the module is loaded later.
process.removeAllListeners('warning')
const { DatabaseSync } = await import('node:sqlite')

/** Sends the application a working day of signed deliveries. Returns whether each answer and account was right. */
export async function runDay(app: App, signal: AbortSignal): Promise<boolean> {
  // The date is yesterday, because yesterday is over in each time zone.
  const date = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const deliveries = workingDay(date)
  const wrong: string[] = []

  console.log(dim(row('when', 'what', 'HTTP', 'outcome')))
  for (const delivery of deliveries) {
    const { what, event, expect } = delivery
    const { status, outcome } = await send(delivery, app, signal)
    const isRight = status === expect.status && outcome === expect.outcome
    if (!isRight) wrong.push(what)
    const expected = isRight ? '' : ` (expected ${expect.status} ${expect.outcome})`
    console.log(
      `${row(event.occurred_at.slice(11, 16), what, status, outcome)} ${verdict(isRight)}${expected}`,
    )
  }

  console.log('\nIn the evening, the database contains:\n')
  const wrongAccounts = compareAccounts(accountsIn(app.databaseFile), eveningOf(date))

  const count = wrong.length + wrongAccounts
  if (count === 0) {
    console.log(`\n${good(`All ${deliveries.length} deliveries and all accounts are right.`)}`)
  } else {
    console.log(`\n${bad(`${wrong.length} deliveries and ${wrongAccounts} accounts are WRONG.`)}`)
    console.error(app.complaints())
  }
  return count === 0
}

async function send(
  { event, messageId, isForged, isLocked }: Delivery,
  app: App,
  signal: AbortSignal,
): Promise<{ status: number; outcome: string }> {
  const secret = isForged ? `whsec_${randomBytes(32).toString('base64')}` : app.secret
  const delivery = signDelivery(event, { secret, ...(messageId === undefined ? {} : { messageId }) })
  const unlock = isLocked ? lockDatabase(app.databaseFile) : undefined
  try {
    const response = await fetch(`${app.url}/webhooks/scalekit`, { ...delivery, signal })
    await response.arrayBuffer()
    return { status: response.status, outcome: response.headers.get('scalekit-scim-outcome') ?? 'none' }
  } finally {
    unlock?.()
  }
}

/**
 * Locks the database with a second connection, like a write of another process. Until the lock is released, the
 * application's own writes fail.
 */
function lockDatabase(file: string): () => void {
  const database = new DatabaseSync(file)
  database.exec('BEGIN IMMEDIATE')
  return () => database.close()
}

/** Reads the file directly, because the application's own output may be wrong. */
function accountsIn(file: string): EndState[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database
    .prepare(`
      SELECT id, state, name, email, roles, scim_occurred_at, (
        SELECT json_group_array(groups.name ORDER BY groups.name)
        FROM memberships JOIN groups ON groups.id = memberships.group_id
        WHERE memberships.account_id = accounts.id AND groups.state = 'active'
      ) AS groups
      FROM accounts ORDER BY id`)
    .all()
  database.close()
  return rows.map(({ id, state, name, email, roles, groups, scim_occurred_at }) => ({
    id: String(id),
    state: String(state),
    name: name === null ? null : String(name),
    email: email === null ? null : String(email),
    roles: JSON.parse(String(roles)),
    groups: JSON.parse(String(groups)),
    occurredAt: String(scim_occurred_at),
  }))
}

/** Prints each account, and returns the number of wrong, missing and surplus accounts. */
function compareAccounts(found: EndState[], expected: EndState[]): number {
  const ids = [...new Set([...expected, ...found].map(({ id }) => id))]
  const wrong = ids.filter((id) => {
    const account = found.find((one) => one.id === id)
    const wanted = expected.find((one) => one.id === id)
    const isRight = isDeepStrictEqual(account, wanted)
    const time = account?.occurredAt.slice(11, 16) ?? ''
    const what = [account?.name ?? id, ...(account?.roles ?? []), ...(account?.groups ?? [])].join(', ')
    console.log(`${row(time, what, '', account?.state ?? 'missing')} ${verdict(isRight)}`)
    if (!isRight) console.log('  expected', wanted, '\n  found', account)
    return !isRight
  })
  return wrong.length
}

function row(time: string, what: string, status: number | string, outcome: string): string {
  return `${time.padEnd(5)}  ${what.padEnd(44)}  ${String(status).padEnd(4)}  ${outcome.padEnd(17)} `
}

function verdict(isRight: boolean): string {
  return isRight ? good('ok') : bad('WRONG')
}
