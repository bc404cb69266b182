import type { Clock } from '../../base/clock.ts'
import { StoreUnavailableError } from '../../base/errors.ts'
import { type Instant, instantFromMs } from '../../base/instant.ts'
import type { DrivenLedger } from '../driver.ts'
import {
  judgeBegin,
  judgeCommit,
  judgeRenew,
  type MessageState,
  type ResourceState,
  type StoreTime,
} from '../judge.ts'
import type { KeyvLike } from '../keyv-like.ts'
import type { BeginAnswer, BeginRequest, Claim, LedgerRecord, Retention } from '../ledger.ts'
import { CheckedCalls } from './checked-calls.ts'
import { KeyedLock } from './keyed-lock.ts'

interface GenericLedgerOptions {
  keyv: KeyvLike
  namespace: string
  clock: Clock
  storeTimeoutSeconds: number
  /** How long what is known of a resource is kept, also before its first commit. */
  watermarkRetentionSeconds: number
}

/**
 * A ledger over any Keyv. Keyv has no set-if-absent, so two processes can both win a message: best effort
 * between them, exact within one, where each key's verbs run one after the other.
 *
 * Keyv hides failures: a dead store's `get` says `undefined`, and its `set` may say `true`. So nothing is
 * believed unseen: every read brings a key along that must be there, an error that the Keyv emits meanwhile
 * counts against us, every write is read back, and each verb has one deadline over all its calls.
 *
 * Leases are judged by this machine's wall clock, since no other is the same for all processes: one that is set back
 * prolongs what was claimed before by as much.
 */
export class GenericLedger implements DrivenLedger {
  readonly guarantee = { message: 'best-effort', order: 'best-effort' } as const
  readonly #keyv: KeyvLike
  readonly #prefix: string
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #resourceMs: number
  readonly #lock = new KeyedLock()
  #failures = 0
  readonly #countFailure = () => {
    this.#failures++
  }

  constructor(options: GenericLedgerOptions) {
    this.#keyv = options.keyv
    this.#prefix = `{scim:${options.namespace}}:`
    this.#clock = options.clock
    this.#timeoutMs = options.storeTimeoutSeconds * 1000
    this.#resourceMs = wholeMs(options.watermarkRetentionSeconds)
    this.#keyv.on?.('error', this.#countFailure)
  }

  /** Stops listening to the Keyv, which stays open: it is the application's. */
  close(): void {
    try {
      this.#keyv.off?.('error', this.#countFailure)
    } catch {
      // A listener too many is no reason to keep what else is closed.
    }
  }

  begin(request: BeginRequest): Promise<BeginAnswer> {
    const keys = this.#keysOf(request)
    return this.#exclusively(keys.all, async (calls) => {
      const [messageText, resourceText] = await calls.read(keys.all)
      const resource = parse<ResourceState>(resourceText)
      const now = this.#time()
      const answer = judgeBegin(request, parse<MessageState>(messageText), resource, now)
      if (answer.state !== 'begun') return answer

      const { token } = request
      const leaseMs = wholeMs(request.leaseSeconds)
      const untilMs = now.ms + leaseMs
      const message: MessageState = { token, done: false, untilMs }
      await calls.write(keys.message, JSON.stringify(message), leaseMs, { before: messageText })
      if (keys.resource) {
        const state: ResourceState = { ...resource, fence: answer.fence, turn: { token, untilMs } }
        await calls.write(keys.resource, JSON.stringify(state), this.#resourceMs, { before: resourceText })
      }
      return answer
    })
  }

  renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const keys = this.#keysOf(claim)
    return this.#exclusively(keys.all, async (calls) => {
      const [messageText, resourceText] = await calls.read(keys.all)
      const resource = parse<ResourceState>(resourceText)
      const now = this.#time()
      if (!judgeRenew(claim, parse(messageText), resource, now)) return false
      const { token, fence } = claim
      const leaseMs = wholeMs(leaseSeconds)
      const untilMs = now.ms + leaseMs
      const message: MessageState = { token, done: false, untilMs }
      await calls.write(keys.message, JSON.stringify(message), leaseMs)
      if (keys.resource) {
        const state: ResourceState = { ...resource, fence, turn: { token, untilMs } }
        await calls.write(keys.resource, JSON.stringify(state), this.#resourceMs)
      }
      return true
    })
  }

  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const keys = this.#keysOf(claim)
    return this.#exclusively(keys.all, async (calls) => {
      const [messageText, resourceText] = await calls.read(keys.all)
      const now = this.#time()
      const verdict = judgeCommit(claim, parse(messageText), parse(resourceText), now)
      if (verdict === 'lost') return 'lost'
      if (verdict === 'repeated') return 'ok'

      // The resource first: a commit that fails in between is repeated, and 'done' would end the repeating.
      if (keys.resource) {
        const state: ResourceState = {
          fence: claim.fence,
          watermark: claim.occurredAt,
          tombstone: claim.deletion,
          appliedAt: now.instant,
        }
        await calls.write(keys.resource, JSON.stringify(state), wholeMs(retention.watermarkRetentionSeconds))
      }
      const retentionMs = wholeMs(retention.retentionSeconds)
      if (retentionMs === 0) await calls.remove(keys.message)
      else {
        const done: MessageState = { token: claim.token, done: true, untilMs: now.ms + retentionMs }
        await calls.write(keys.message, JSON.stringify(done), retentionMs)
      }
      return 'ok'
    })
  }

  release(claim: Claim): Promise<void> {
    const keys = this.#keysOf(claim)
    return this.#exclusively(keys.all, async (calls) => {
      const [messageText, resourceText] = await calls.read(keys.all)
      const message = parse<MessageState>(messageText)
      const resource = parse<ResourceState>(resourceText)
      if (keys.resource && resource?.turn?.token === claim.token) {
        await calls.write(keys.resource, JSON.stringify({ ...resource, turn: undefined }), this.#resourceMs)
      }
      if (message?.token === claim.token && !message.done) await calls.remove(keys.message)
    })
  }

  forget(messageId: string): Promise<boolean> {
    return this.#forget(`${this.#prefix}m:${messageId}`)
  }

  forgetResource(resource: string): Promise<boolean> {
    return this.#forget(`${this.#prefix}r:${resource}`)
  }

  record(name: string): LedgerRecord {
    const key = `${this.#prefix}s:${name}`
    return {
      read: () => this.#exclusively([key], async (calls) => (await calls.read([key]))[0]),
      compareAndSet: (expected, value, expirySeconds) =>
        this.#exclusively([key], async (calls) => {
          const [present] = await calls.read([key])
          if (present !== expected) return false
          if (value === undefined) await calls.remove(key)
          else await calls.write(key, value, wholeMs(expirySeconds))
          return true
        }),
    }
  }

  async now(): Promise<Instant> {
    return this.#time().instant
  }

  #time(): StoreTime {
    const ms = this.#clock.now()
    return { ms, instant: instantFromMs(ms) }
  }

  #keysOf({ messageId, resource }: { messageId: string; resource?: string }) {
    const message = `${this.#prefix}m:${messageId}`
    if (resource === undefined) return { message, all: [message] }
    return {
      message,
      resource: `${this.#prefix}r:${resource}`,
      all: [message, `${this.#prefix}r:${resource}`],
    }
  }

  #forget(key: string): Promise<boolean> {
    return this.#exclusively([key], async (calls) => {
      const [present] = await calls.read([key])
      if (present !== undefined) await calls.remove(key)
      return present !== undefined
    })
  }

  #exclusively<T>(keys: string[], work: (calls: CheckedCalls) => Promise<T>): Promise<T> {
    return this.#lock.hold(keys, async () => {
      const calls = this.#calls()
      try {
        return await work(calls)
      } catch (error) {
        void this.#giveBack(calls)
        throw error
      }
    })
  }

  #calls(): CheckedCalls {
    const canaryKey = `${this.#prefix}canary`
    return new CheckedCalls(this.#keyv, this.#clock, this.#timeoutMs, canaryKey, () => this.#failures)
  }

  /** Undoes, as far as the store answers, what a verb wrote before it failed: also a write that lands later. */
  async #giveBack(calls: CheckedCalls): Promise<void> {
    for (const { key, text, landed, undo } of calls.writes) {
      if (!undo) continue
      await landed.catch(() => {})
      await this.#lock
        .hold([key], async () => {
          const calls = this.#calls()
          const [present] = await calls.read([key])
          if (present !== text) return
          if (undo.before === undefined) await calls.remove(key)
          else await calls.write(key, undo.before, this.#resourceMs)
        })
        .catch(() => {})
    }
  }
}

function parse<State>(text: string | undefined): State | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as State
  } catch {
    throw new StoreUnavailableError('a key of ours holds what we did not write')
  }
}

/** Stores refuse, silently, a time to live that is no whole number. */
function wholeMs(seconds: number): number {
  return Math.ceil(seconds * 1000)
}
