import type { Clock } from '../../base/clock.ts'
import { type Instant, instantFromMs } from '../../base/instant.ts'
import { fenceSequence, type MessageState, type ResourceState, type StoreTime } from '../decisions.ts'
import type { BeginAnswer, BeginRequest, Claim, Ledger, LedgerRecord, Retention } from '../ledger.ts'
import * as steps from '../steps.ts'
import { Generations } from './generations.ts'
import { appliedPacking, createDonePacking } from './packings.ts'

/** The largest number of done messages, or of resources, in one generation. */
const generationSize = 100_000

/**
 * The time for which a lapsed claim is stored, in ms. If no other token has begun since, the claim's handler can renew
 * or commit the claim.
 */
const lapsedKeptMs = 3_600_000

/**
 * The ledger of one process. No method has an `await` between its decision and its write, so each method is atomic
 * within the process. Leases use a clock that never jumps. The number of done messages and of watermarks is limited.
 * Above the limit, the ledger drops the oldest entries before their retention ends. The ledger never drops claims in
 * flight.
 */
export class MemoryLedger implements Ledger {
  readonly guarantee = { message: 'process', order: 'process' } as const
  readonly #clock: Clock
  readonly #nextFence = fenceSequence()
  readonly #claims = new Map<string, MessageState>()
  readonly #done = new Generations(generationSize, createDonePacking)
  readonly #turns = new Map<string, ResourceState>()
  readonly #applied = new Generations(generationSize, () => appliedPacking)
  readonly #records = new Map<string, { value: string; untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async begin(request: BeginRequest): Promise<BeginAnswer> {
    this.#dropLapsed(this.#clock.monotonic())
    return this.#step(request, (seen) => steps.begin(request, seen, this.#nextFence))
  }

  async renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    return this.#step(claim, (seen) => steps.renew(claim, seen, leaseSeconds))
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    return this.#step(claim, (seen) => steps.commit(claim, seen, retention))
  }

  async release(claim: Claim): Promise<void> {
    return this.#step(claim, (seen) => steps.release(claim, seen))
  }

  async forget(messageId: string): Promise<boolean> {
    const known = this.#message(messageId)
    this.#claims.delete(messageId)
    this.#done.delete(messageId)
    return known !== undefined && known.untilMs > this.#clock.monotonic()
  }

  async forgetResource(resource: string): Promise<boolean> {
    const known = this.#resource(resource, this.#clock.monotonic())
    this.#turns.delete(resource)
    this.#applied.delete(resource)
    return known !== undefined
  }

  record(name: string): LedgerRecord {
    const present = () => {
      const entry = this.#records.get(name)
      return entry && entry.untilMs > this.#clock.monotonic() ? entry.value : undefined
    }
    return {
      read: async () => present(),
      compareAndSet: async (expected, value, expirySeconds) => {
        if (present() !== expected) return false
        if (value === undefined) this.#records.delete(name)
        else this.#records.set(name, { value, untilMs: this.#clock.monotonic() + expirySeconds * 1000 })
        return true
      },
    }
  }

  async now(): Promise<Instant> {
    return this.#time().instant
  }

  #step<Answer>(
    { messageId, resource }: steps.ClaimIds,
    step: (seen: steps.Seen) => steps.Step<Answer>,
  ): Answer {
    const now = this.#time()
    const seen = { message: this.#message(messageId), resource: this.#resource(resource, now.ms), now }
    const { answer, writes = [] } = step(seen)
    for (const write of writes) {
      if (write.kind === 'm') this.#writeMessage(write.id, write.state)
      else if (write.state.turn) this.#turns.set(write.id, write.state)
      else this.#endTurn(write.id, write.state, write.expiresMs)
    }
    return answer
  }

  #writeMessage(messageId: string, state: MessageState | undefined): void {
    if (state?.done === false) {
      this.#claims.set(messageId, state)
      return
    }
    this.#claims.delete(messageId)
    if (state) this.#done.set(messageId, state)
  }

  /**
   * If a handler never ends, its claim remains. So each `begin` checks two claims and two turns. `begin` drops claims
   * and turns that lapsed long ago, and moves the other claims and turns to the end.
   */
  #dropLapsed(nowMs: number): void {
    for (let checked = 0; checked < 2; checked++) {
      const [messageId, claim] = this.#claims.entries().next().value ?? []
      if (messageId !== undefined && claim) {
        this.#claims.delete(messageId)
        if (claim.untilMs + lapsedKeptMs > nowMs) this.#claims.set(messageId, claim)
      }
      const [resource, state] = this.#turns.entries().next().value ?? []
      if (resource !== undefined && state) {
        this.#turns.delete(resource)
        if ((state.turn?.untilMs ?? 0) + lapsedKeptMs > nowMs) this.#turns.set(resource, state)
        else this.#endTurn(resource, state)
      }
    }
  }

  /**
   * Ends the resource's turn. Stores the state until it expires. If no event of the resource was ever applied, stores
   * only the fence.
   */
  #endTurn(resource: string, state: ResourceState, expiresMs?: number): void {
    const untilMs = expiresMs ?? this.#applied.get(resource)?.untilMs ?? Number.POSITIVE_INFINITY
    this.#turns.delete(resource)
    this.#applied.set(resource, { ...state, turn: undefined, untilMs })
  }

  #time(): StoreTime {
    return { ms: this.#clock.monotonic(), instant: instantFromMs(this.#clock.now()) }
  }

  #message(messageId: string): MessageState | undefined {
    return this.#claims.get(messageId) ?? this.#done.get(messageId)
  }

  #resource(resource: string | undefined, nowMs: number): ResourceState | undefined {
    if (resource === undefined) return undefined
    const held = this.#turns.get(resource)
    if (held) return held
    const applied = this.#applied.get(resource)
    return applied && applied.untilMs > nowMs ? applied : undefined
  }
}
