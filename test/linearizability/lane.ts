import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '@scalekit-scim/core'
import { type BeginRequest, type Claim, instantFromMs, type Ledger } from '@scalekit-scim/core/adapter'
import type { Random } from '../chaos/random.ts'
import type { Operation } from './operations.ts'

/** A process is stopped for longer than the longest of these leases. */
const leasesSeconds = [0.2, 0.4, 0.8, 1.2]
/** A call that takes longer counts as a call without an answer. */
const patienceMs = 8000
const retention = { retentionSeconds: 3600, watermarkRetentionSeconds: 3600 }
const firstEventMs = Date.UTC(2026, 0, 1)
/** The messages and the event times that callers choose from at the same time. */
const messagesAtOnce = 3
const momentsAtOnce = 4
/** In the course of a history, callers proceed to other messages and later events. */
const messagesInAll = 12

/** The callers of one process share their claims. So one may commit a claim while another renews it. */
export interface Desk {
  ledger: Ledger
  resource: string
  claims: Claim[]
  /** Tokens of a `begin` without an answer. The contract allows no further `begin` with them. */
  lostTokens: Set<string>
  recorded: Recorded[]
  /** When a connection of this process was last lost. */
  failedMs(): number
}

export interface Recorded {
  operation: Operation
  /** Whether the process lost a connection during the call. */
  wasCut: boolean
}

/** A time that all processes of this machine have in common. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** One caller, which makes one call after the other. */
export class Lane {
  readonly #by: string
  readonly #desk: Desk
  readonly #random: Random
  #tokens = 0

  constructor(by: string, desk: Desk, random: Random) {
    this.#by = by
    this.#desk = desk
    this.#random = random
  }

  async run(calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) {
      const operation = await this.#call(call / calls)
      this.#desk.recorded.push({ operation, wasCut: this.#desk.failedMs() >= operation.calledMs })
      await sleep(this.#pauseAfter(operation))
    }
  }

  #call(progress: number): Promise<Operation> {
    const claim = this.#someClaim()
    const kind = this.#random.next()
    if (claim === undefined || kind < 0.4) return this.#begin(this.#newRequest(progress))
    if (kind < 0.5) return this.#begin(this.#requestAgain(claim) ?? this.#newRequest(progress))
    if (kind < 0.65) return this.#renew(claim)
    if (kind < 0.88) return this.#commit(claim)
    return this.#release(claim)
  }

  /** Most often the newest claim. An older one has usually lapsed, was committed, or somebody else has begun since. */
  #someClaim(): Claim | undefined {
    const { claims } = this.#desk
    return this.#random.next() < 0.7 ? claims.at(-1) : claims[this.#random.below(claims.length)]
  }

  #newRequest(progress: number): BeginRequest {
    const messageId = `${this.#desk.resource}-m${Math.floor(progress * messagesInAll) + this.#random.below(messagesAtOnce)}`
    const moment = Math.floor(progress * 4 * messagesInAll) + this.#random.below(momentsAtOnce)
    return {
      ...this.#idsOf(messageId, `${this.#by}-${this.#tokens++}`),
      occurredAt: instantFromMs(firstEventMs + moment),
      deletion: this.#random.next() < 0.2,
    }
  }

  #requestAgain({ messageId, token, occurredAt, deletion }: Claim): BeginRequest | undefined {
    if (this.#desk.lostTokens.has(token)) return undefined
    return { ...this.#idsOf(messageId, token), occurredAt, deletion }
  }

  #idsOf(messageId: string, token: string) {
    return { messageId, token, resource: this.#desk.resource, leaseSeconds: this.#someLease() }
  }

  #someLease(): number {
    return leasesSeconds[this.#random.below(leasesSeconds.length)] ?? 1
  }

  async #begin(request: BeginRequest): Promise<Operation> {
    const { ledger, resource, claims, lostTokens } = this.#desk
    const timed = await this.#timed(() => ledger.begin(request))
    const { token, messageId, deletion = false } = request
    if (timed.answer === undefined) lostTokens.add(token)
    if (timed.answer?.state === 'begun') {
      const { fence, occurredAt } = timed.answer
      const claim: Claim = { token, messageId, resource, fence, occurredAt, deletion }
      if (this.#random.next() > 0.3) claims.push(claim)
      // A slow handler: nobody uses the claim for a while, and its lease may lapse.
      else setTimeout(() => claims.push(claim), request.leaseSeconds * 1000 * (0.5 + this.#random.next()))
    }
    return { verb: 'begin', request, ...timed }
  }

  async #renew(claim: Claim): Promise<Operation> {
    const leaseSeconds = this.#someLease()
    const timed = await this.#timed(() => this.#desk.ledger.renew(claim, leaseSeconds))
    return { verb: 'renew', claim, leaseSeconds, ...timed }
  }

  async #commit(claim: Claim): Promise<Operation> {
    return {
      verb: 'commit',
      claim,
      ...(await this.#timed(() => this.#desk.ledger.commit(claim, retention))),
    }
  }

  async #release(claim: Claim): Promise<Operation> {
    const timed = await this.#timed(async () => {
      await this.#desk.ledger.release(claim)
      return 'released' as const
    })
    return { verb: 'release', token: claim.token, ...timed }
  }

  /** Only this error may mean that the answer is unknown. Every other error ends the process. */
  async #timed<Answer>(call: () => Promise<Answer>) {
    const by = this.#by
    const calledMs = nowMs()
    try {
      const answer = await Promise.race([call(), sleep(patienceMs, undefined, { ref: false })])
      return answer === undefined ? { by, calledMs } : { by, calledMs, returnedMs: nowMs(), answer }
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      return { by, calledMs }
    }
  }

  #pauseAfter(operation: Operation): number {
    // The store may be unavailable for a while.
    if (operation.returnedMs === undefined) return 200 + this.#random.below(300)
    const isRefused = operation.verb === 'begin' && operation.answer?.state !== 'begun'
    return this.#random.below(isRefused && this.#random.next() < 0.6 ? 200 : 20)
  }
}
