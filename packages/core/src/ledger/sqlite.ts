import { StoreUnavailableError } from '../errors.ts'
import { type Instant, instantFromMs } from '../instant.ts'
import { type DrivenLedger, type Driver, type DriverOptions, inTime } from './driver.ts'
import { FirstConnection, isSqlAdapter } from './first-connection.ts'
import { judgeBegin, judgeCommit, type MessageState, type ResourceState, type StoreTime } from './judge.ts'
import type { BeginAnswer, BeginRequest, Claim, Guarantee, LedgerRecord, Retention } from './ledger.ts'
import { type Change, type Key, type Snapshot, SqliteTable, type StoredRow } from './sqlite-table.ts'
import { Sweeping } from './sweeping.ts'

/** `@keyv/sqlite`: one connection, which `query(sql, ...parameters)` shares with all that the Keyv itself does. */
export const sqliteDriver: Driver = {
  open(adapter, options) {
    if (!isSqlAdapter(adapter, 'sqlite')) return undefined
    return new SqliteLedger(new FirstConnection(adapter), isShared(adapter.opts.db), options)
  },
}

/** A database in memory is seen by its one connection alone. */
function isShared(file: unknown): boolean {
  return typeof file === 'string' && file !== '' && !/:memory:|mode=memory/.test(file)
}

interface Decision<Answer> {
  answer: Answer
  changes?: Change[]
}

/**
 * A ledger in one table of a SQLite database. Each verb reads, decides as judge.ts says, and writes with one statement
 * that changes nothing unless all that was read still stands; else it reads anew. One of those who race always gets
 * through, so the retries end.
 *
 * There is no transaction over several calls, because none would be sound here. The connection is the application's:
 * what its Keyv writes meanwhile would fall into our transaction, and be undone with it. A connection of our own needs
 * the very copy of SQLite that the adapter has (two copies in one process break each other's locks on a file, which are
 * POSIX locks, see "How To Corrupt An SQLite Database File", 2.2.1), and a process that is stopped between BEGIN and
 * COMMIT would lock all others out. One statement holds the lock for as long as it runs, and no longer.
 *
 * The time comes with each read. A state that was read before a write landed is judged by a time before it too, which
 * only ever shortens a lease; a sync that asks for the time after that finds the event's effect in what it reads.
 */
class SqliteLedger implements DrivenLedger {
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  readonly #options: DriverOptions
  readonly #connection: FirstConnection
  readonly #table: SqliteTable
  readonly #sweeping: Sweeping

  constructor(connection: FirstConnection, shared: boolean, options: DriverOptions) {
    const guarantee = shared ? 'atomic' : 'process'
    this.guarantee = { message: guarantee, order: guarantee }
    this.#options = options
    this.#connection = connection
    this.#table = new SqliteTable({ ...options, connection })
    this.#sweeping = new Sweeping(options.clock, (limit) => this.#table.sweep(limit))
  }

  close(): void {
    this.#sweeping.stop()
    const { replacement } = this.#connection
    if (replacement && 'disconnect' in replacement && typeof replacement.disconnect === 'function') {
      Promise.resolve(replacement.disconnect()).catch(() => {})
    }
  }

  begin(request: BeginRequest): Promise<BeginAnswer> {
    const keys = keysOf(request)
    return this.#decide(keys.all, ({ nowMs, rows }): Decision<BeginAnswer> => {
      const resource = resourceIn(rows.r, nowMs)
      const answer = judgeBegin(request, messageIn(rows.m), resource, timeOf(nowMs))
      if (answer.state !== 'begun') return { answer }

      const { token } = request
      const untilMs = nowMs + wholeMs(request.leaseSeconds)
      const changes = [messageChange(keys.message, { token, done: false, untilMs })]
      if (keys.resource) {
        const state: ResourceState = { ...resource, fence: answer.fence, turn: { token, untilMs } }
        changes.push(this.#resourceChange(keys.resource, state, nowMs))
      }
      return { answer, changes }
    })
  }

  renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const keys = keysOf(claim)
    return this.#decide(keys.all, ({ nowMs, rows }) => {
      const message = messageIn(rows.m)
      const resource = resourceIn(rows.r, nowMs)
      if (message?.token !== claim.token || message.done) return { answer: false }
      const untilMs = nowMs + wholeMs(leaseSeconds)
      const changes = [messageChange(keys.message, { ...message, untilMs })]
      if (keys.resource) {
        if (resource?.turn?.token !== claim.token) return { answer: false }
        const turn = { token: claim.token, untilMs }
        changes.push(this.#resourceChange(keys.resource, { ...resource, turn }, nowMs))
      }
      return { answer: true, changes }
    })
  }

  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const keys = keysOf(claim)
    return this.#decide(keys.all, ({ nowMs, rows }): Decision<'ok' | 'lost'> => {
      const now = timeOf(nowMs)
      const verdict = judgeCommit(claim, messageIn(rows.m), resourceIn(rows.r, nowMs), now)
      if (verdict === 'lost') return { answer: 'lost' }
      if (verdict === 'repeated') return { answer: 'ok' }

      const { token, fence, occurredAt: watermark, deletion: tombstone } = claim
      const untilMs = nowMs + wholeMs(retention.retentionSeconds)
      const changes =
        untilMs > nowMs ? [messageChange(keys.message, { token, done: true, untilMs })] : [gone(keys.message)]
      if (keys.resource) {
        const state: ResourceState = { fence, watermark, tombstone, appliedAt: now.instant }
        const expiresMs = nowMs + wholeMs(retention.watermarkRetentionSeconds)
        changes.push({ ...keys.resource, state: JSON.stringify(state), expiresMs })
      }
      return { answer: 'ok', changes }
    })
  }

  release(claim: Claim): Promise<void> {
    const keys = keysOf(claim)
    return this.#decide(keys.all, ({ nowMs, rows }): Decision<undefined> => {
      const message = messageIn(rows.m)
      const resource = resourceIn(rows.r, nowMs)
      const changes: Change[] = []
      if (message?.token === claim.token && !message.done) changes.push(gone(keys.message))
      if (keys.resource && resource?.turn?.token === claim.token) {
        changes.push(this.#resourceChange(keys.resource, { ...resource, turn: undefined }, nowMs))
      }
      return { answer: undefined, changes }
    })
  }

  forget(messageId: string): Promise<boolean> {
    return inTime(this.#options, this.#table.remove({ kind: 'm', id: messageId }))
  }

  forgetResource(resource: string): Promise<boolean> {
    return inTime(this.#options, this.#table.remove({ kind: 'r', id: resource }))
  }

  record(name: string): LedgerRecord {
    const key: Key = { kind: 's', id: name }
    const presentIn = ({ nowMs, rows }: Snapshot) =>
      rows.s && rows.s.expiresMs > nowMs ? rows.s.state : undefined
    return {
      read: () => inTime(this.#options, this.#table.read([key]).then(presentIn)),
      compareAndSet: (expected, value, expirySeconds) =>
        inTime(
          this.#options,
          this.#decide([key], (snapshot) => {
            if (presentIn(snapshot) !== expected) return { answer: false }
            const expiresMs = snapshot.nowMs + wholeMs(expirySeconds)
            return {
              answer: true,
              changes: [value === undefined ? gone(key) : { ...key, state: value, expiresMs }],
            }
          }),
        ),
    }
  }

  async now(): Promise<Instant> {
    const { nowMs } = await inTime(this.#options, this.#table.read([{ kind: 's', id: '' }]))
    return instantFromMs(nowMs)
  }

  async #decide<Answer>(keys: Key[], judge: (seen: Snapshot) => Decision<Answer>): Promise<Answer> {
    for (;;) {
      const seen = await this.#table.read(keys)
      const { answer, changes = [] } = judge(seen)
      if (changes.length === 0 || (await this.#table.swap(seen, changes))) return answer
    }
  }

  #resourceChange(key: Key, state: ResourceState, nowMs: number): Change {
    const expiresMs = nowMs + wholeMs(this.#options.watermarkRetentionSeconds)
    return { ...key, state: JSON.stringify(state), expiresMs }
  }
}

function keysOf({ messageId, resource }: { messageId: string; resource?: string }) {
  const message: Key = { kind: 'm', id: messageId }
  if (resource === undefined) return { message, all: [message] }
  const ofResource: Key = { kind: 'r', id: resource }
  return { message, resource: ofResource, all: [message, ofResource] }
}

function messageChange(key: Key, state: MessageState): Change {
  return { ...key, state: JSON.stringify(state), expiresMs: state.untilMs }
}

function gone(key: Key): Change {
  return { ...key, state: undefined, expiresMs: 0 }
}

function messageIn(row: StoredRow | undefined): MessageState | undefined {
  return parse(row?.state)
}

function resourceIn(row: StoredRow | undefined, nowMs: number): ResourceState | undefined {
  return row && row.expiresMs > nowMs ? parse(row.state) : undefined
}

function parse<State>(text: string | undefined): State | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new StoreUnavailableError('a row of ours holds what we did not write')
  }
}

function timeOf(nowMs: number): StoreTime {
  return { ms: nowMs, instant: instantFromMs(nowMs) }
}

function wholeMs(seconds: number): number {
  return Math.ceil(seconds * 1000)
}
