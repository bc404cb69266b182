import { ledgerAround } from '../../support/ledger-around.ts'
import type { SimulatedProcess } from '../process.ts'
import type { OnRecorded, OpenedStore, SimulatedStore } from './simulated-store.ts'

/** The memory of each process. It is lost with the process. */
export class MemoryStore implements SimulatedStore {
  readonly #onRecorded: OnRecorded

  constructor(onRecorded: OnRecorded) {
    this.#onRecorded = onRecorded
  }

  openIn({ clock }: SimulatedProcess): OpenedStore {
    const onRecorded = this.#onRecorded
    const { ledger } = ledgerAround(
      (real) => ({
        async commit(claim, retention) {
          const committed = await real.commit(claim, retention)
          if (committed === 'ok') onRecorded(claim.messageId)
          return committed
        },
      }),
      clock,
    )
    return { store: ledger, ownTimers: 0, close: () => {} }
  }

  loseSince(): void {}

  claimed(): string[] {
    return []
  }
}
