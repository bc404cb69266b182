import { delay } from '../../base/clock.ts'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { Instant } from '../../base/instant.ts'
import { type DrivenLedger, type DriverOptions, inTime } from '../driver.ts'
import { giveBack } from '../give-back.ts'
import {
  judgeBegin,
  judgeCommit,
  judgeRenew,
  type MessageState,
  type ResourceState,
  type StoreTime,
} from '../judge.ts'
import type { BeginAnswer, BeginRequest, Claim, Guarantee, LedgerRecord, Retention } from '../ledger.ts'
import { Sweeping } from '../sweeping.ts'
import { wasNeverSent } from './statements.ts'
import type { Change, Key, Snapshot, StoredRow, SwapTable } from './swap-table.ts'

/** So many races lost in a row are none: what we read is not what we write to, as behind a proxy that splits reads. */
const mostRounds = 200

interface Decision<Answer> {
  answer: Answer
  changes?: Change[]
}

/**
 * A ledger over a table that compares and swaps. Each verb reads, decides as judge.ts says, and writes with one
 * statement that changes nothing unless all that was read still stands; else it reads anew. One of those who race
 * always gets through, so the retries end. No transaction is open between two calls: who is stopped there locks nobody
 * out, and who dies there leaves nothing behind.
 *
 *     A: read (unseen, 09:00:00.1) ── judge: begun ── swap if still unseen ✓
 *     B:   read (unseen) ── judge: begun ────────────────── swap if still unseen ✗ ── read ── judge: in-flight
 *
 * The time comes with each read, so a swap is judged by a time before it landed. That is sound: what had lapsed and was
 * not touched since is lapsed still, a lease only ever gets shorter, and a sync that asks for the time after the read
 * finds the event's effect in what it reads.
 */
export class SwapLedger implements DrivenLedger {
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  readonly #options: DriverOptions
  readonly #table: SwapTable
  readonly #sweeping: Sweeping
  readonly #closing = new AbortController()

  constructor(table: SwapTable, guarantee: Guarantee, options: DriverOptions) {
    this.guarantee = { message: guarantee, order: guarantee }
    this.#options = options
    this.#table = table
    this.#sweeping = new Sweeping(options.clock, (limit) => table.sweep(limit))
  }

  close(): void {
    this.#sweeping.stop()
    this.#closing.abort()
  }

  /**
   * A server that was frozen answers all at once what it was asked meanwhile, when whoever asked has gone. So what was
   * read too late is not written to, and only what was written is given back: else each begin would cost it three more.
   */
  async begin(request: BeginRequest): Promise<BeginAnswer> {
    const { clock, storeTimeoutSeconds } = this.#options
    const goneAtMs = clock.monotonic() + storeTimeoutSeconds * 1000
    let written = false
    const beforeSwap = () => {
      if (clock.monotonic() > goneAtMs) throw new StoreUnavailableError('the store answered too late')
      written = true
    }
    try {
      return await this.#begin(request, beforeSwap)
    } catch (error) {
      if (written && !wasNeverSent(error)) this.#giveBack(request)
      throw error
    }
  }

  #begin(request: BeginRequest, beforeSwap: () => void): Promise<BeginAnswer> {
    const keys = keysOf(request)
    const judge = ({ now, rows }: Snapshot): Decision<BeginAnswer> => {
      const resource = resourceIn(rows.r, now)
      const answer = judgeBegin(request, messageIn(rows.m), resource, now)
      if (answer.state !== 'begun') return { answer }

      const { token } = request
      const untilMs = now.ms + wholeMs(request.leaseSeconds)
      const changes = [messageChange(keys.message, { token, done: false, untilMs })]
      if (keys.resource) {
        const state: ResourceState = { ...resource, fence: answer.fence, turn: { token, untilMs } }
        changes.push(this.#resourceChange(keys.resource, state, now))
      }
      return { answer, changes }
    }
    return this.#decide(keys.all, judge, beforeSwap)
  }

  renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const keys = keysOf(claim)
    return this.#decide(keys.all, ({ now, rows }) => {
      const resource = resourceIn(rows.r, now)
      if (!judgeRenew(claim, messageIn(rows.m), resource, now)) return { answer: false }
      const { token, fence } = claim
      const untilMs = now.ms + wholeMs(leaseSeconds)
      const changes = [messageChange(keys.message, { token, done: false, untilMs })]
      if (keys.resource) {
        const state: ResourceState = { ...resource, fence, turn: { token, untilMs } }
        changes.push(this.#resourceChange(keys.resource, state, now))
      }
      return { answer: true, changes }
    })
  }

  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const keys = keysOf(claim)
    return this.#decide(keys.all, ({ now, rows }): Decision<'ok' | 'lost'> => {
      const verdict = judgeCommit(claim, messageIn(rows.m), resourceIn(rows.r, now), now)
      if (verdict === 'lost') return { answer: 'lost' }
      if (verdict === 'repeated') return { answer: 'ok' }

      const { token, fence, occurredAt: watermark, deletion: tombstone } = claim
      const untilMs = now.ms + wholeMs(retention.retentionSeconds)
      const changes =
        untilMs > now.ms
          ? [messageChange(keys.message, { token, done: true, untilMs })]
          : [gone(keys.message)]
      if (keys.resource) {
        const state: ResourceState = { fence, watermark, tombstone, appliedAt: now.instant }
        const expiresMs = now.ms + wholeMs(retention.watermarkRetentionSeconds)
        changes.push({ ...keys.resource, state: JSON.stringify(state), expiresMs })
      }
      return { answer: 'ok', changes }
    })
  }

  release(claim: Claim): Promise<void> {
    const keys = keysOf(claim)
    return this.#decide(keys.all, ({ now, rows }): Decision<undefined> => {
      const message = messageIn(rows.m)
      const resource = resourceIn(rows.r, now)
      const changes: Change[] = []
      if (message?.token === claim.token && !message.done) changes.push(gone(keys.message))
      if (keys.resource && resource?.turn?.token === claim.token) {
        changes.push(this.#resourceChange(keys.resource, { ...resource, turn: undefined }, now))
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

  async now(): Promise<Instant> {
    const { now } = await inTime(this.#options, this.#table.read([{ kind: 's', id: '' }]))
    return now.instant
  }

  #giveBack({ token, messageId, resource, leaseSeconds }: BeginRequest): void {
    const claim: Claim = { token, messageId, fence: 0, occurredAt: '', deletion: false }
    if (resource !== undefined) claim.resource = resource
    void giveBack(this.#options.clock, leaseSeconds, this.#closing.signal, () => this.release(claim))
  }

  async #decide<Answer>(
    keys: Key[],
    judge: (seen: Snapshot) => Decision<Answer>,
    beforeSwap = () => {},
  ): Promise<Answer> {
    for (let round = 0; round < mostRounds; round++) {
      if (round > 2) await delay(this.#options.clock, Math.random() * 10)
      const seen = await this.#table.read(keys)
      const { answer, changes = [] } = judge(seen)
      if (changes.length === 0) return answer
      beforeSwap()
      if (await this.#table.swap(seen, changes)) return answer
    }
    throw new StoreUnavailableError('what is read never is what is written to')
  }

  #resourceChange(key: Key, state: ResourceState, now: StoreTime): Change {
    const expiresMs = now.ms + wholeMs(this.#options.watermarkRetentionSeconds)
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

function resourceIn(row: StoredRow | undefined, now: StoreTime): ResourceState | undefined {
  return row && row.expiresMs > now.ms ? parse(row.state) : undefined
}

function parse<State>(text: string | undefined): State | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new StoreUnavailableError('a row of ours holds what we did not write')
  }
}

function wholeMs(seconds: number): number {
  return Math.ceil(seconds * 1000)
}
