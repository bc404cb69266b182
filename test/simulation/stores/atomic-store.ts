import type { Ledger } from '@scalekit-scim/core'
import { instantFromMs } from '@scalekit-scim/core/adapter'
import { releaseLater } from '../../../packages/core/src/ledger/background.ts'
import {
  fenceSequence,
  type MessageState,
  type ResourceState,
  type StoreTime,
} from '../../../packages/core/src/ledger/decisions.ts'
import type { BeginRequest, Claim, LedgerRecord } from '../../../packages/core/src/ledger/ledger.ts'
import * as steps from '../../../packages/core/src/ledger/steps.ts'
import type { SimulatedProcess } from '../process.ts'
import { LosableMap } from './losable-map.ts'
import type { Server } from './server.ts'
import type { OnRecorded, OpenedStore, SimulatedStore } from './simulated-store.ts'

interface Stored<State> {
  state: State
  expiresMs: number
}

/** A store that carries out each verb in one step, as Redis and PostgreSQL do. Expired rows vanish. */
export class AtomicStore implements SimulatedStore {
  readonly #server: Server
  readonly #onRecorded: OnRecorded
  /** Whether a failed `begin` is released later. Our drivers do this. An application's own ledger may not. */
  readonly #releasesLater: boolean
  readonly #messages = new LosableMap<Stored<MessageState>>()
  readonly #resources = new LosableMap<Stored<ResourceState>>()
  #nextFence = fenceSequence()

  constructor(server: Server, onRecorded: OnRecorded, releasesLater: boolean) {
    this.#server = server
    this.#onRecorded = onRecorded
    this.#releasesLater = releasesLater
  }

  openIn(process: SimulatedProcess): OpenedStore {
    const closing = new AbortController()
    return { store: this.#ledgerIn(process, closing.signal), ownTimers: 0, close: () => closing.abort() }
  }

  loseSince(sinceMs: number): void {
    this.#messages.loseSince(sinceMs)
    this.#resources.loseSince(sinceMs)
    this.#nextFence = fenceSequence()
  }

  claimed(): string[] {
    const { ms } = this.#time()
    const messages = this.#messages.entries().filter(([, { state }]) => !state.done && state.untilMs > ms)
    const turns = this.#resources.entries().filter(([, { state }]) => (state.turn?.untilMs ?? 0) > ms)
    return [...messages, ...turns].map(([id]) => id)
  }

  #ledgerIn(process: SimulatedProcess, closing: AbortSignal): Ledger {
    const call = <Answer>(label: string, execute: () => Answer) => this.#server.call(process, label, execute)
    const release = (claim: Claim) =>
      call(`release ${claim.messageId}`, () => this.#step(claim, (seen) => steps.release(claim, seen)))
    const begin = (request: BeginRequest) =>
      call(`begin ${request.messageId}`, () =>
        this.#step(request, (seen) => steps.begin(request, seen, this.#nextFence)),
      )
    return {
      guarantee: { message: 'atomic', order: 'atomic' },
      begin: async (request) => {
        try {
          return await begin(request)
        } catch (error) {
          if (this.#releasesLater) void releaseLater(request, release, process, closing)
          throw error
        }
      },
      renew: (claim, leaseSeconds) =>
        call(`renew ${claim.messageId}`, () =>
          this.#step(claim, (seen) => steps.renew(claim, seen, leaseSeconds)),
        ),
      commit: (claim, retention) =>
        call(`commit ${claim.messageId}`, () =>
          this.#step(claim, (seen) => steps.commit(claim, seen, retention)),
        ),
      release,
      forget: (id) => call(`forget ${id}`, () => this.#forget(this.#messages, id)),
      forgetResource: (id) => call(`forgetResource ${id}`, () => this.#forget(this.#resources, id)),
      record: unusedRecord,
      now: () => call('now', () => this.#time().instant),
    }
  }

  #step<Answer>(
    { messageId, resource }: steps.ClaimIds,
    step: (seen: steps.Seen) => steps.Step<Answer>,
  ): Answer {
    const now = this.#time()
    const { nowMs } = this.#server.world
    const live = <State>(row: Stored<State> | undefined) =>
      row && row.expiresMs > now.ms ? row.state : undefined
    const message = live(this.#messages.get(messageId))
    const state = resource === undefined ? undefined : live(this.#resources.get(resource))
    const { answer, writes = [] } = step({ message, resource: state, now })
    for (const { kind, id, state, expiresMs = Number.POSITIVE_INFINITY } of writes) {
      if (kind === 'r') this.#resources.set(id, { state, expiresMs }, nowMs)
      else this.#messages.set(id, state && { state, expiresMs }, nowMs)
      if (kind === 'm' && state?.done) this.#onRecorded(id)
    }
    return answer
  }

  #forget<State>(rows: LosableMap<Stored<State>>, id: string): boolean {
    const row = rows.get(id)
    rows.set(id, undefined, this.#server.world.nowMs)
    return row !== undefined && row.expiresMs > this.#time().ms
  }

  #time(): StoreTime {
    const ms = this.#server.now()
    return { ms, instant: instantFromMs(ms) }
  }
}

function unusedRecord(): LedgerRecord {
  throw new Error('webhooks do not use records')
}
