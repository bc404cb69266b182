import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs, styleText } from 'node:util'
import { signDelivery } from '@scalekit-scim/core/testing'
import { type App, Ending, startApp } from './app-process.ts'
import { type Delivery, type EndState, eveningOf, workingDay } from './day.ts'

const usage = `Usage: npm start -- [--once]

Starts examples/express-sqlite with a database and a signing secret of its own, sends it
a working day of signed deliveries over HTTP, checks every answer and what the database
holds in the evening, and leaves the application up to look at. Ctrl-C stops it.

  --once    stop it after the day; exit with 0 when all was as it should be, else with 1
  --help    show this

  PORT      where the application listens; 3000, or another one where that is taken
`

const hasColours = process.stdout.isTTY && !process.env.NO_COLOR

// SQLite is still marked as experimental, and the reader has no use for the warning. It is given when the module is
// loaded, so that comes after.
process.removeAllListeners('warning')
const { DatabaseSync } = await import('node:sqlite')

process.exitCode = await main()

async function main(): Promise<number> {
  const args = readArguments()
  if (typeof args === 'number') return args

  const ending = new AbortController()
  process.on('SIGINT', () => ending.abort(new Ending(130)))
  process.on('SIGTERM', () => ending.abort(new Ending(143)))
  process.on('SIGHUP', () => ending.abort(new Ending(129)))
  // Whoever was reading has gone: `npm start | head`, say.
  process.stdout.on('error', () => ending.abort(new Ending(1)))

  const folder = await mkdtemp(join(tmpdir(), 'scalekit-scim-day-'))
  let app: App | undefined
  try {
    app = await startApp(join(folder, 'accounts.db'), args.port, ending)
    console.log(`The application is up at ${app.url}. A day in its life:\n`)
    const isRight = await runDay(app, ending.signal)
    if (!args.once) {
      console.log(`\nIt stays up at ${bold(app.url)}: look at its accounts. Ctrl-C stops it.`)
      app.speakUp()
      await untilInterrupted(ending.signal)
    }
    return isRight ? 0 : 1
  } catch (error) {
    // What was cut off in the middle fails in ways of its own; the reason is the first one.
    const cause: unknown = ending.signal.aborted ? ending.signal.reason : error
    if (!(cause instanceof Ending)) throw cause
    if (cause.message) console.error(cause.message)
    return cause.exitCode
  } finally {
    await app?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The arguments, or the exit code where there is nothing to run. */
function readArguments(): { once: boolean; port: number } | number {
  try {
    const { values } = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean' } } })
    if (values.help) {
      console.log(usage)
      return 0
    }
    const { PORT = '' } = process.env
    if (!/^\d{0,5}$/.test(PORT) || Number(PORT) > 65_535) throw new Error('PORT must be a number up to 65535')
    return { once: values.once ?? false, port: Number(PORT || 3000) }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    return 2
  }
}

async function untilInterrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  const { reason } = signal
  if (reason instanceof Ending && reason.message) throw reason
  console.log('\nStopping.')
}

// ── The day ──

async function runDay(app: App, signal: AbortSignal): Promise<boolean> {
  // Yesterday: the day is over, wherever this is run.
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

  console.log('\nIn the evening, its database says:\n')
  const wrongAccounts = compareAccounts(accountsIn(app.databaseFile), eveningOf(date))

  const count = wrong.length + wrongAccounts
  if (count === 0) {
    console.log(
      `\n${good(`All ${deliveries.length} deliveries ended as they should, and so did every account.`)}`,
    )
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

/** A second connection that writes, as another process would: the application's own writes fail meanwhile. */
function lockDatabase(file: string): () => void {
  const database = new DatabaseSync(file)
  database.exec('BEGIN IMMEDIATE')
  return () => database.close()
}

/** Read from the file itself: what the application would say of it is not what is asked. */
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

/** Shows each account, and gives the number of those that are wrong, missing or too many. */
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

// ── What is shown ──

function row(time: string, what: string, status: number | string, outcome: string): string {
  return `${time.padEnd(5)}  ${what.padEnd(44)}  ${String(status).padEnd(4)}  ${outcome.padEnd(17)} `
}

function verdict(isRight: boolean): string {
  return isRight ? good('ok') : bad('WRONG')
}

function good(text: string): string {
  return styled('green', text)
}

function bad(text: string): string {
  return styled('red', text)
}

function bold(text: string): string {
  return styled('bold', text)
}

function dim(text: string): string {
  return styled('dim', text)
}

function styled(style: 'green' | 'red' | 'bold' | 'dim', text: string): string {
  return hasColours ? styleText(style, text, { validateStream: false }) : text
}
