import { delay } from '../../base/clock.ts'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { Instant } from '../../base/instant.ts'
import { releaseLater, sweep } from '../background.ts'
import {
  decideBegin,
  decideCommit,
  decideRenew,
  fenceSequence,
  type MessageState,
  type ResourceState,
  type StoreTime,
} from '../decisions.ts'
import { type DriverLedger, type DriverOptions, inTime, wholeMs } from '../driver.ts'
import type { BeginAnswer, BeginRequest, Claim, Guarantee, LedgerRecord, Retention } from '../ledger.ts'
import { wasNeverSent } from './statements.ts'
import {
  type Change,
  type CompareAndSetTable,
  type Key,
  LateWriteError,
  type Snapshot,
  type StoredRow,
} from './table.ts'

/**
 * If a verb loses this many races, reads and writes evidently reach different data. A proxy that sends reads to another
 * server has this effect.
 */
const maxRounds = 200

interface Decision<Answer> {
  answer: Answer
  changes?: Change[]
}

/**
 * A ledger over a table with compare-and-set. Each verb reads, decides (`decisions.ts`), and writes with one statement.
 * If a row has changed since it was read, the statement changes nothing, and the verb reads again. Of the processes
 * that race, one always succeeds, so the retries end. No transaction is open between two calls. So a process that
 * stalls between two calls blocks nobody, and a process that dies there leaves nothing behind.
 *
 *     A: read (unseen, 09:00:00.1) ── decide: begun ── set if still unseen ✓
 *     B:   read (unseen) ── decide: begun ────────────────── set if still unseen ✗ ── read ── decide: in-flight
 *
 * Each read also returns the store's time, so a write is decided with a time before the write. This is safe for three
 * reasons. A lease that had lapsed, and was not changed since, has still lapsed. A new lease only gets shorter. A sync
 * that takes its `observedAt` after this read finds the event's change in the data that it reads.
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
   * When a frozen server continues, it answers all earlier calls at once, although their callers have already given up.
   * So after a late read, a verb writes nothing. It releases a claim only after a write. Otherwise, each late `begin`
   * would cost three more calls.
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
      return await this.#begin(request, beforeWrite)
    } catch (error) {
      if (written && !wasNeverSent(error)) this.#releaseLater(request, error)
      throw error
    }
  }

  #begin(request: BeginRequest, beforeWrite: () => void): Promise<BeginAnswer> {
    const decide = ({ now, rows }: Snapshot): Decision<BeginAnswer> => {
      const resource = resourceIn(rows.r, now)
      const answer = decideBegin(request, messageIn(rows.m), resource, now, this.#nextFence)
      if (answer.state !== 'begun') return { answer }
      const { leaseSeconds } = request
      return { answer, changes: this.#claimChanges(request, answer.fence, resource, now, leaseSeconds) }
    }
    return this.#decide(keysOf(request), decide, beforeWrite)
  }

  renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    return this.#decide(keysOf(claim), ({ now, rows }): Decision<boolean> => {
      const resource = resourceIn(rows.r, now)
      if (!decideRenew(claim, messageIn(rows.m), resource, now)) return { answer: false }
      return { answer: true, changes: this.#claimChanges(claim, claim.fence, resource, now, leaseSeconds) }
    })
  }

  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    return this.#decide(keysOf(claim), ({ now, rows }): Decision<'ok' | 'lost'> => {
      const decision = decideCommit(claim, messageIn(rows.m), resourceIn(rows.r, now), now)
      if (decision === 'lost') return { answer: 'lost' }
      if (decision === 'repeated') return { answer: 'ok' }

      const { token, fence, occurredAt: watermark, deletion: tombstone } = claim
      const changes: Change[] = []
      if (claim.resource !== undefined) {
        const state: ResourceState = { fence, watermark, tombstone, appliedAt: now.instant }
        changes.push(resourceChange(claim.resource, state, now, retention.watermarkRetentionSeconds))
      }
      const untilMs = now.ms + wholeMs(retention.retentionSeconds)
      const message = messageKey(claim)
      changes.push(untilMs > now.ms ? messageChange(message, { token, done: true, untilMs }) : gone(message))
      return { answer: 'ok', changes }
    })
  }

  release(claim: Claim): Promise<void> {
    return this.#decide(keysOf(claim), ({ now, rows }): Decision<undefined> => {
      const message = messageIn(rows.m)
      const resource = resourceIn(rows.r, now)
      const changes: Change[] = []
      if (claim.resource !== undefined && resource?.turn?.token === claim.token) {
        const { watermarkRetentionSeconds } = this.#options
        const ended = { ...resource, turn: undefined }
        changes.push(resourceChange(claim.resource, ended, now, watermarkRetentionSeconds))
      }
      if (message?.token === claim.token && !message.done) changes.push(gone(messageKey(claim)))
      return { answer: undefined, changes }
    })
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

  #releaseLater(request: BeginRequest, error: unknown): void {
    const release = async (claim: Claim) => {
      if (error instanceof LateWriteError) await error.landed.catch(() => {})
      await this.release(claim)
    }
    void releaseLater(request, release, this.#options, this.#closing.signal)
  }

  async #decide<Answer>(
    keys: Key[],
    decide: (seen: Snapshot) => Decision<Answer>,
    beforeWrite = () => {},
  ): Promise<Answer> {
    const untilWritten = async () => {
      for (let round = 0; round < maxRounds; round++) {
        if (round > 2) await delay(this.#options.clock, Math.random() * 10)
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

  #claimChanges(
    { token, messageId, resource: id }: Pick<Claim, 'token' | 'messageId' | 'resource'>,
    fence: number,
    resource: ResourceState | undefined,
    now: StoreTime,
    leaseSeconds: number,
  ): Change[] {
    const untilMs = now.ms + wholeMs(leaseSeconds)
    const changes = [messageChange(messageKey({ messageId }), { token, done: false, untilMs })]
    if (id !== undefined) {
      const state: ResourceState = { ...resource, fence, turn: { token, untilMs } }
      changes.push(resourceChange(id, state, now, this.#options.watermarkRetentionSeconds))
    }
    return changes
  }
}

function messageKey({ messageId }: { messageId: string }): Key {
  return { kind: 'm', id: messageId }
}

function keysOf({ messageId, resource }: { messageId: string; resource?: string }): Key[] {
  const message = messageKey({ messageId })
  return resource === undefined ? [message] : [message, { kind: 'r', id: resource }]
}

function messageChange(key: Key, state: MessageState): Change {
  return { ...key, state: JSON.stringify(state), expiresMs: state.untilMs }
}

function resourceChange(id: string, state: ResourceState, now: StoreTime, keptSeconds: number): Change {
  return { kind: 'r', id, state: JSON.stringify(state), expiresMs: now.ms + wholeMs(keptSeconds) }
}

function gone(key: Key): Change {
  return { ...key, state: undefined, expiresMs: 0 }
}

function messageIn(row: StoredRow | undefined): MessageState | undefined {
  return parse(row?.state)
}

function resourceIn(row: StoredRow | undefined, now: StoreTime): ResourceState | undefined {
  return row && row.expiresMs > now.ms ? parse(row.state) : undefined
}

function parse<State>(text: string | undefined): State | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new StoreUnavailableError('a row of the ledger holds data that the ledger did not write')
  }
}
