import type { Clock } from '../base/clock.ts'
import { type Instant, instantFromMs } from '../base/instant.ts'
import {
  judgeBegin,
  judgeCommit,
  judgeRenew,
  type MessageState,
  type ResourceState,
  type StoreTime,
} from './judge.ts'
import type { BeginAnswer, BeginRequest, Claim, Ledger, LedgerRecord, Retention } from './ledger.ts'

/** How many done messages, and how many resources, one generation holds. */
export const defaultGenerationSize = 100_000

/** How long a claim that lapsed is kept for its handler, should it come back and nobody have begun since. */
const lapsedKeptMs = 3_600_000

/**
 * A map of bounded size and constant cost: when the young generation is full it becomes the old one, and what was
 * the old one is gone. So at least `size` of the newest entries are kept, and at most twice that.
 */
class Generations<Value> {
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  get(key: string): Value | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#size && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}

/** What outlives a turn: at the bound there are 200 000 of them, so it is one flat object. */
interface Applied extends ResourceState {
  untilMs: number
}

/**
 * The ledger of one process. Every verb decides and writes with no `await` between, so it is exact within the
 * process; leases run on a clock that never jumps. Done messages and watermarks are bounded: beyond the bound
 * the oldest go, which shortens the retention. What is in flight is never evicted.
 */
export class MemoryLedger implements Ledger {
  readonly guarantee = { message: 'process', order: 'process' } as const
  readonly #clock: Clock
  readonly #claims = new Map<string, MessageState>()
  readonly #done: Generations<MessageState>
  readonly #turns = new Map<string, ResourceState>()
  readonly #applied: Generations<Applied>
  readonly #records = new Map<string, { value: string; untilMs: number }>()

  constructor(clock: Clock, generationSize = defaultGenerationSize) {
    this.#clock = clock
    this.#done = new Generations(generationSize)
    this.#applied = new Generations(generationSize)
  }

  async begin(request: BeginRequest): Promise<BeginAnswer> {
    const now = this.#time()
    this.#forgetLapsed(now)
    const { messageId, resource, token } = request
    const state = resource === undefined ? undefined : this.#resource(resource, now)
    const answer = judgeBegin(request, this.#message(messageId), state, now)
    if (answer.state !== 'begun') return answer

    const untilMs = now.ms + request.leaseSeconds * 1000
    this.#claims.set(messageId, { token, done: false, untilMs })
    if (resource !== undefined) {
      this.#turns.set(resource, { ...state, fence: answer.fence, turn: { token, untilMs } })
    }
    return answer
  }

  async renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const now = this.#time()
    const { messageId, resource, token, fence } = claim
    const state = resource === undefined ? undefined : this.#resource(resource, now)
    if (!judgeRenew(claim, this.#message(messageId), state, now)) return false
    const untilMs = now.ms + leaseSeconds * 1000
    this.#claims.set(messageId, { token, done: false, untilMs })
    if (resource !== undefined) this.#turns.set(resource, { ...state, fence, turn: { token, untilMs } })
    return true
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const now = this.#time()
    const { messageId, resource, token } = claim
    const state = resource === undefined ? undefined : this.#resource(resource, now)
    const verdict = judgeCommit(claim, this.#message(messageId), state, now)
    if (verdict === 'lost') return 'lost'
    if (verdict === 'repeated') return 'ok'

    this.#claims.delete(messageId)
    if (retention.retentionSeconds > 0) {
      this.#done.set(messageId, { token, done: true, untilMs: now.ms + retention.retentionSeconds * 1000 })
    }
    if (resource !== undefined) {
      this.#turns.delete(resource)
      this.#applied.set(resource, {
        fence: claim.fence,
        watermark: claim.occurredAt,
        tombstone: claim.deletion,
        appliedAt: now.instant,
        untilMs: now.ms + retention.watermarkRetentionSeconds * 1000,
      })
    }
    return 'ok'
  }

  async release(claim: Claim): Promise<void> {
    if (this.#claims.get(claim.messageId)?.token === claim.token) this.#claims.delete(claim.messageId)
    if (claim.resource === undefined) return
    const state = this.#turns.get(claim.resource)
    if (state?.turn?.token !== claim.token) return
    this.#turns.delete(claim.resource)
    this.#endTurn(claim.resource, state)
  }

  async forget(messageId: string): Promise<boolean> {
    const known = this.#message(messageId)
    this.#claims.delete(messageId)
    this.#done.delete(messageId)
    return known !== undefined && known.untilMs > this.#time().ms
  }

  async forgetResource(resource: string): Promise<boolean> {
    const known = this.#resource(resource, this.#time())
    this.#turns.delete(resource)
    this.#applied.delete(resource)
    return known !== undefined
  }

  record(name: string): LedgerRecord {
    const present = () => {
      const entry = this.#records.get(name)
      return entry && entry.untilMs > this.#time().ms ? entry.value : undefined
    }
    return {
      read: async () => present(),
      compareAndSet: async (expected, value, expirySeconds) => {
        if (present() !== expected) return false
        if (value === undefined) this.#records.delete(name)
        else this.#records.set(name, { value, untilMs: this.#time().ms + expirySeconds * 1000 })
        return true
      },
    }
  }

  async now(): Promise<Instant> {
    return this.#time().instant
  }

  /** Handlers that never end leave their claims behind: two are looked at with each begin, and go to the back. */
  #forgetLapsed(now: StoreTime): void {
    for (let looked = 0; looked < 2; looked++) {
      const [messageId, claim] = this.#claims.entries().next().value ?? []
      if (messageId !== undefined && claim) {
        this.#claims.delete(messageId)
        if (claim.untilMs + lapsedKeptMs > now.ms) this.#claims.set(messageId, claim)
      }
      const [resource, state] = this.#turns.entries().next().value ?? []
      if (resource !== undefined && state) {
        this.#turns.delete(resource)
        if ((state.turn?.untilMs ?? 0) + lapsedKeptMs > now.ms) this.#turns.set(resource, state)
        else this.#endTurn(resource, state)
      }
    }
  }

  /** The fence outlives the turn, so that whoever lost it before is still told so. */
  #endTurn(resource: string, state: ResourceState): void {
    const untilMs = this.#applied.get(resource)?.untilMs ?? Number.POSITIVE_INFINITY
    this.#applied.set(resource, { ...state, turn: undefined, untilMs })
  }

  #time(): StoreTime {
    return { ms: this.#clock.monotonic(), instant: instantFromMs(this.#clock.now()) }
  }

  #message(messageId: string): MessageState | undefined {
    return this.#claims.get(messageId) ?? this.#done.get(messageId)
  }

  #resource(resource: string, now: StoreTime): ResourceState | undefined {
    const held = this.#turns.get(resource)
    if (held) return held
    const applied = this.#applied.get(resource)
    return applied && applied.untilMs > now.ms ? applied : undefined
  }
}
