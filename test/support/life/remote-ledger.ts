import type { Ledger } from '@scalekit-scim/core'

/** The application's calls to a ledger in the parent process, over the channel between the two processes. */
export interface LedgerCall {
  call: number
  verb:
    | 'begin'
    | 'renew'
    | 'commit'
    | 'release'
    | 'forget'
    | 'forgetResource'
    | 'now'
    | 'read'
    | 'compareAndSet'
  /** The arguments of the verb. If the verb belongs to a record, the first argument is the name of the record. */
  parameters: unknown[]
}

export interface LedgerAnswer {
  call: number
  value?: unknown
  failed?: boolean
}

/** The application's side of the channel. It returns the answers of the ledger's side. */
export class RemoteLedger {
  readonly #ask: (call: LedgerCall) => void
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #calls = 0

  constructor(ask: (call: LedgerCall) => void) {
    this.#ask = ask
  }

  answered({ call, value, failed }: LedgerAnswer): void {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    if (failed) waiting?.reject(new Error('the ledger failed'))
    else waiting?.resolve(value)
  }

  get ledger(): Ledger {
    return {
      guarantee: { message: 'atomic', order: 'atomic' },
      begin: (request) => this.#call('begin', request),
      renew: (claim, leaseSeconds) => this.#call('renew', claim, leaseSeconds),
      commit: (claim, retention) => this.#call('commit', claim, retention),
      release: (claim) => this.#call('release', claim),
      forget: (messageId) => this.#call('forget', messageId),
      forgetResource: (resource) => this.#call('forgetResource', resource),
      now: () => this.#call('now'),
      record: (name) => ({
        read: () => this.#call('read', name),
        compareAndSet: (...parameters) => this.#call('compareAndSet', name, ...parameters),
      }),
    }
  }

  #call<Value>(verb: LedgerCall['verb'], ...parameters: unknown[]): Promise<Value> {
    const call = this.#calls++
    return new Promise((resolve, reject) => {
      // The value has the result type of the called verb.
      this.#waiting.set(call, { resolve: (value) => resolve(value as Value), reject })
      this.#ask({ call, verb, parameters })
    })
  }
}

/** The ledger's side of the channel. */
export async function answer(ledger: Ledger, { call, verb, parameters }: LedgerCall): Promise<LedgerAnswer> {
  try {
    const isOfRecord = verb === 'read' || verb === 'compareAndSet'
    const [name, ...others] = parameters
    const target: object = isOfRecord ? ledger.record(String(name)) : ledger
    const given = isOfRecord ? others : parameters
    // The channel writes `undefined` as null.
    const value: unknown = await Reflect.get(target, verb).apply(
      target,
      given.map((parameter) => parameter ?? undefined),
    )
    return { call, value }
  } catch {
    return { call, failed: true }
  }
}
