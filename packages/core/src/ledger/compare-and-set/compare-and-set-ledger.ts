import { delay } from '../../base/clock.ts'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { Instant } from '../../base/instant.ts'
import { randomnessOf } from '../../base/randomness.ts'
import { releaseLater, sweep } from '../background.ts'
import { fenceSequence, type MessageState, type ResourceState, type StoreTime } from '../decisions.ts'
import { type DriverLedger, type DriverOptions, inTime, wholeMs } from '../driver.ts'
import type { BeginAnswer, BeginRequest, Claim, Guarantee, LedgerRecord, Retention } from '../ledger.ts'
import * as steps from '../steps.ts'
import { wasNeverSent } from './statements.ts'
import type { Change, CompareAndSetTable, Key, Snapshot, StoredRow } from './table.ts'

/**
 * If a method loses this many races, its reads and writes probably use different data. A proxy that sends reads to
 * another server causes this error.
 */
const maxRounds = 200

/**
 * A ledger over a table with compare-and-set. Each method reads, decides (`decisions.ts`), and writes with one
 * statement. If a row has changed since it was read, the statement changes nothing. The method then reads again. One of
 * the racing processes always succeeds, so the retries end. No transaction is open between two calls. So a process that
 * stalls or crashes between two calls does not block another process.
 *
 *     A: read (unseen, 09:00:00.1) ── decide: begun ── set if still unseen ✓
 *     B:   read (unseen) ── decide: begun ────────────────── set if still unseen ✗ ── read ── decide: in-flight
 *
 * Each read also returns the store's time, so each decision uses a time shortly before its write. The earlier time is
 * safe for three reasons. If a lease had lapsed at the read and has not changed since, it has also lapsed at the write.
 * A new lease can become shorter, but never longer. If a sync takes its `observedAt` after this read, the data of the
 * sync contains the event's change.
 */
export class CompareAndSetLedger implements DriverLedger {
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  readonly #options: DriverOptions
  readonly #table: CompareAndSetTable
  readonly #nextFence = fenceSequence()
  readonly #closing = new AbortController()

  constructor(table: CompareAndSetTable, guarantee: Guarantee, options: DriverOptions) {
    this.guarantee = { message: guarantee, order: guarantee }
    this.#options = options
    this.#table = table
    if (table.sweep) void sweep(table.sweep.bind(table), options, this.#closing.signal)
  }

  close(): void {
    this.#closing.abort()
    this.#table.close?.()
  }

  /**
   * When a frozen server continues, it answers all earlier calls together, although their callers no longer wait. So
   * after a late read, `begin` writes nothing. `begin` releases a claim only after a write. Without this rule, each
   * late `begin` would cost three more calls.
   */
  async begin(request: BeginRequest): Promise<BeginAnswer> {
    const { clock, storeTimeoutSeconds } = this.#options
    const givenUpAtMs = clock.monotonic() + storeTimeoutSeconds * 1000
    let written = false
    const beforeWrite = () => {
      if (clock.monotonic() > givenUpAtMs) throw new StoreUnavailableError('the store answered too late')
      written = true
    }
    try {
      const answer = await this.#step(
        request,
        (seen) => steps.begin(request, seen, this.#nextFence),
        beforeWrite,
      )
      // Without an atomic write, another process can replace one of two rows.
      if (written && this.#table.exclusively && answer.state !== 'begun') this.#releaseLater(request)
      return answer
    } catch (error) {
      if (written && !wasNeverSent(error)) this.#releaseLater(request)
      throw error
    }
  }

  renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    return this.#step(claim, (seen) => steps.renew(claim, seen, leaseSeconds))
  }

  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    return this.#step(claim, (seen) => steps.commit(claim, seen, retention))
  }

  release(claim: Claim): Promise<void> {
    return this.#step(claim, (seen) => steps.release(claim, seen))
  }

  forget(messageId: string): Promise<boolean> {
    return this.#forget({ kind: 'm', id: messageId })
  }

  forgetResource(resource: string): Promise<boolean> {
    return this.#forget({ kind: 'r', id: resource })
  }

  record(name: string): LedgerRecord {
    const key: Key = { kind: 's', id: name }
    const presentIn = ({ now, rows }: Snapshot) =>
      rows.s && rows.s.expiresMs > now.ms ? rows.s.state : undefined
    return {
      read: () => inTime(this.#options, this.#table.read([key]).then(presentIn)),
      compareAndSet: (expected, value, expirySeconds) =>
        inTime(
          this.#options,
          this.#decide([key], (snapshot) => {
            if (presentIn(snapshot) !== expected) return { answer: false }
            const expiresMs = snapshot.now.ms + wholeMs(expirySeconds)
            return {
              answer: true,
              changes: [value === undefined ? gone(key) : { ...key, state: value, expiresMs }],
            }
          }),
        ),
    }
  }

  now(): Promise<Instant> {
    const asked =
      this.#table.now?.() ?? this.#table.read([{ kind: 's', id: '' }]).then(({ now }) => now.instant)
    return inTime(this.#options, asked)
  }

  #forget(key: Key): Promise<boolean> {
    const forgotten = this.#decide([key], ({ now, rows }) => {
      const row = rows[key.kind]
      if (row?.state === undefined) return { answer: false }
      return { answer: row.expiresMs > now.ms, changes: [gone(key)] }
    })
    return inTime(this.#options, forgotten)
  }

  #releaseLater(request: BeginRequest): void {
    void releaseLater(request, (claim) => this.release(claim), this.#options, this.#closing.signal)
  }

  #step<Answer>(
    { messageId, resource }: steps.ClaimIds,
    step: (seen: steps.Seen) => steps.Step<Answer>,
    beforeWrite?: () => void,
  ): Promise<Answer> {
    const keys: Key[] = [{ kind: 'm', id: messageId }]
    if (resource !== undefined) keys.push({ kind: 'r', id: resource })
    const decide = ({ now, rows }: Snapshot) => {
      const message = stateIn<MessageState>(rows.m)
      const resource = stateIn<ResourceState>(rows.r && rows.r.expiresMs > now.ms ? rows.r : undefined)
      const { answer, writes = [] } = step({ message, resource, now })
      return { answer, changes: writes.map((write) => this.#changeOf(write, now)) }
    }
    return this.#decide(keys, decide, beforeWrite)
  }

  #changeOf({ kind, id, state, expiresMs }: steps.Write, now: StoreTime): Change {
    if (state === undefined) return gone({ kind, id })
    const keptUntilMs = now.ms + wholeMs(this.#options.watermarkRetentionSeconds)
    return { kind, id, state: JSON.stringify(state), expiresMs: expiresMs ?? keptUntilMs }
  }

  async #decide<Answer>(
    keys: Key[],
    decide: (seen: Snapshot) => { answer: Answer; changes?: Change[] },
    beforeWrite = () => {},
  ): Promise<Answer> {
    const { clock } = this.#options
    const untilWritten = async () => {
      for (let round = 0; round < maxRounds; round++) {
        if (round > 2) await delay(clock, randomnessOf(clock).fraction() * 10)
        const seen = await this.#table.read(keys)
        const { answer, changes = [] } = decide(seen)
        if (changes.length === 0) return answer
        beforeWrite()
        if (await this.#table.compareAndSet(seen, changes)) return answer
      }
      throw new StoreUnavailableError('reads and writes reach different data')
    }
    return this.#table.exclusively ? this.#table.exclusively(keys, untilWritten) : untilWritten()
  }
}

function gone(key: Key): Change {
  return { ...key, state: undefined, expiresMs: 0 }
}

function stateIn<State>(row: StoredRow | undefined): State | undefined {
  if (row?.state === undefined) return undefined
  try {
    return JSON.parse(row.state)
  } catch {
    throw new StoreUnavailableError('a row of the ledger contains data that the ledger did not write')
  }
}
