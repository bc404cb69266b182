import { type Clock, createDispatcher, type Ledger } from '@scalekit-scim/core'
import type { Guarantee } from '@scalekit-scim/core/adapter'

/** One call of the store by a process. */
export interface StoreCall {
  verb: string
  /** The name of the record, if the call is about a record. */
  record?: string
  writes: boolean
}

/** Called before and after the store's call. If it throws, the call fails for the process. */
export type Watch = (call: StoreCall, point: 'before' | 'after') => void

/** A store that outlasts the processes, and that can lose its data. */
export class SharedStore {
  readonly #clock: Clock
  #ledger: Ledger
  readonly #names = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#ledger = memoryLedger(clock)
  }

  /** The names of all records that were ever requested. */
  get names(): readonly string[] {
    return [...this.#names]
  }

  loseAll(): void {
    this.#ledger = memoryLedger(this.#clock)
  }

  /** @returns whether the store had the data */
  async lose(name: string): Promise<boolean> {
    const record = this.#ledger.record(name)
    const value = await record.read()
    return value !== undefined && record.compareAndSet(value, undefined, 1)
  }

  /** Returns the store for one process. */
  reachedBy(watch: Watch, guarantee: Guarantee): Ledger {
    const call = async <Answer>(made: StoreCall, ask: (ledger: Ledger) => Promise<Answer>) => {
      watch(made, 'before')
      const answer = await ask(this.#ledger)
      watch(made, 'after')
      return answer
    }
    const verb = <Answer>(name: string, writes: boolean, ask: (ledger: Ledger) => Promise<Answer>) =>
      call({ verb: name, writes }, ask)
    return {
      guarantee: { message: guarantee, order: guarantee },
      begin: (request) => verb('begin', true, (ledger) => ledger.begin(request)),
      renew: (claim, leaseSeconds) => verb('renew', true, (ledger) => ledger.renew(claim, leaseSeconds)),
      commit: (claim, retention) => verb('commit', true, (ledger) => ledger.commit(claim, retention)),
      release: (claim) => verb('release', true, (ledger) => ledger.release(claim)),
      forget: (messageId) => verb('forget', true, (ledger) => ledger.forget(messageId)),
      forgetResource: (resource) => verb('forgetResource', true, (ledger) => ledger.forgetResource(resource)),
      now: () => verb('now', false, (ledger) => ledger.now()),
      record: (name) => {
        this.#names.add(name)
        return {
          read: () =>
            call({ verb: 'read', record: name, writes: false }, (ledger) => ledger.record(name).read()),
          compareAndSet: (...values) =>
            call({ verb: 'write', record: name, writes: true }, (ledger) =>
              ledger.record(name).compareAndSet(...values),
            ),
        }
      },
    }
  }
}

function memoryLedger(clock: Clock): Ledger {
  return createDispatcher({ store: 'memory', logger: false, clock, onEvent: () => {} }).ledger
}
