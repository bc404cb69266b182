import { type Clock, createDispatcher, type Ledger } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'

/** A real ledger in memory. The test replaces some of its verbs. */
export function ledgerAround(
  own: (real: Ledger) => Partial<Ledger>,
  clock: Clock = systemClock,
): { ledger: Ledger; real: Ledger } {
  const { ledger: real } = createDispatcher({ store: 'memory', logger: false, clock, onEvent: () => {} })
  const ledger: Ledger = {
    guarantee: real.guarantee,
    begin: (request) => real.begin(request),
    renew: (...args) => real.renew(...args),
    commit: (...args) => real.commit(...args),
    release: (claim) => real.release(claim),
    forget: (messageId) => real.forget(messageId),
    forgetResource: (resource) => real.forgetResource(resource),
    record: (name) => real.record(name),
    now: () => real.now(),
    ...own(real),
  }
  return { ledger, real }
}
