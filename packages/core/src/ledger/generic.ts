import { type Clock, timedOut, within } from '../clock.ts'
import { StoreUnavailableError } from '../errors.ts'
import { type Instant, instantFromMs } from '../instant.ts'
import { judgeBegin, judgeCommit, type MessageState, type ResourceState, type StoreTime } from './judge.ts'
import { KeyedLock } from './keyed-lock.ts'
import type { BeginAnswer, BeginRequest, Claim, Ledger, LedgerRecord, Retention } from './ledger.ts'

/** What we ask of a Keyv, of version 5 or 6; never `instanceof`, so that copies and look-alikes work. */
export interface KeyvLike {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ttlMs?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on?(event: 'error', listener: (error: unknown) => void): unknown
  off?(event: 'error', listener: (error: unknown) => void): unknown
  readonly namespace?: string | undefined
  readonly store?: unknown
}

interface GenericLedgerOptions {
  keyv: KeyvLike
  namespace: string
  clock: Clock
  storeTimeoutSeconds: number
  /** How long what is known of a resource is kept, also before its first commit. */
  watermarkRetentionSeconds: number
}

const canary = 'scalekit-scim'

/**
 * A ledger over any Keyv. Keyv has no set-if-absent, so two processes can both win a message: best effort
 * between them, exact within one, where each key's verbs run one after the other.
 *
 * Keyv hides failures: a dead store's `get` says `undefined`, and its `set` may say `true`. So nothing is
 * believed unseen: every read brings a key along that must be there, an error that the Keyv emits meanwhile
 * counts against us, every write is read back, and each verb has one deadline over all its calls.
 */
export class GenericLedger implements Ledger {
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
  detach(): void {
    this.#keyv.off?.('error', this.#countFailure)
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
      const leaseMs = Math.ceil(request.leaseSeconds * 1000)
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
      const message = parse<MessageState>(messageText)
      const resource = parse<ResourceState>(resourceText)
      const leaseMs = Math.ceil(leaseSeconds * 1000)
      const untilMs = this.#time().ms + leaseMs
      if (message?.token !== claim.token || message.done) return false
      if (keys.resource && resource?.turn?.token !== claim.token) return false
      await calls.write(keys.message, JSON.stringify({ ...message, untilMs }), leaseMs)
      if (keys.resource) {
        const turn = { token: claim.token, untilMs }
        await calls.write(keys.resource, JSON.stringify({ ...resource, turn }), this.#resourceMs)
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
      const calls = new CheckedCalls(
        this.#keyv,
        this.#clock,
        this.#timeoutMs,
        `${this.#prefix}canary`,
        () => this.#failures,
      )
      try {
        return await work(calls)
      } catch (error) {
        void this.#giveBack(calls)
        throw error
      }
    })
  }

  /** Undoes, as far as the store answers, what a verb wrote before it failed: also a write that lands later. */
  async #giveBack(calls: CheckedCalls): Promise<void> {
    for (const { key, text, landed, undo } of calls.writes) {
      if (!undo) continue
      await landed.catch(() => {})
      await this.#lock
        .hold([key], async () => {
          if ((await this.#keyv.get(key)) !== text) return
          if (undo.before === undefined) await this.#keyv.delete(key)
          else await this.#keyv.set(key, undo.before, this.#resourceMs)
        })
        .catch(() => {})
    }
  }
}

/** What to put back when the verb fails. A write without it is to stand. */
interface Undo {
  before: string | undefined
}

interface Write {
  key: string
  text: string
  landed: Promise<unknown>
  undo: Undo | undefined
}

/** The calls of one verb: under one deadline, and none believed that cannot be checked. */
class CheckedCalls {
  readonly writes: Write[] = []
  readonly #keyv: KeyvLike
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #canaryKey: string
  readonly #failures: () => number

  constructor(keyv: KeyvLike, clock: Clock, timeoutMs: number, canaryKey: string, failures: () => number) {
    this.#keyv = keyv
    this.#clock = clock
    this.#deadlineMs = clock.monotonic() + timeoutMs
    this.#canaryKey = canaryKey
    this.#failures = failures
  }

  async read(keys: string[]): Promise<(string | undefined)[]> {
    const first = await this.#readBesideCanary(keys)
    if (first.canaryFound) return first.values
    // A new store, or one that lost its data: or a dead one, which the canary's own write will tell.
    await this.write(this.#canaryKey, canary, undefined)
    const second = await this.#readBesideCanary(keys)
    if (!second.canaryFound) throw new StoreUnavailableError('the store does not keep what it is given')
    return second.values
  }

  async write(key: string, text: string, ttlMs: number | undefined, undo?: Undo): Promise<void> {
    const landed = Promise.resolve(this.#keyv.set(key, text, ttlMs))
    this.writes.push({ key, text, landed, undo })
    await this.#inTime(landed)
    if ((await this.#inTime(this.#keyv.get(key))) !== text) {
      throw new StoreUnavailableError('a write did not read back')
    }
  }

  async remove(key: string): Promise<void> {
    await this.#inTime(this.#keyv.delete(key))
    const [value] = (await this.#readBesideCanary([key])).values
    if (value !== undefined) throw new StoreUnavailableError('a deletion did not read back')
  }

  async #readBesideCanary(keys: string[]): Promise<{ canaryFound: boolean; values: (string | undefined)[] }> {
    const failuresBefore = this.#failures()
    const calls = [this.#canaryKey, ...keys].map((key) => this.#keyv.get(key))
    const [found, ...values] = await this.#inTime(Promise.all(calls))
    if (this.#failures() !== failuresBefore) throw new StoreUnavailableError('the store reported an error')
    return { canaryFound: found === canary, values: values.map(asText) }
  }

  async #inTime<T>(call: Promise<T>): Promise<T> {
    const result = await within(this.#clock, call, this.#deadlineMs - this.#clock.monotonic())
    if (result === timedOut) throw new StoreUnavailableError('the store did not answer in time')
    return result
  }
}

function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw new StoreUnavailableError('a key of ours holds what we did not write')
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
