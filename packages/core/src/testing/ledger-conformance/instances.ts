import assert from 'node:assert/strict'
import { beginAll, CheckedStore, type OpenLedger, someId } from './store.ts'

/** The checks of several instances on one store. */
export const instanceChecks: Readonly<Record<string, (open: OpenLedger) => Promise<void>>> = {
  'of two instances whose clocks differ by 60 s, one wins a message and one wins a turn': async (open) => {
    const ahead = new CheckedStore(await open({ skewMs: 30_000 }))
    const behind = new CheckedStore(await open({ skewMs: -30_000 }))
    for (const [first, second] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const { messageId, resource } = await first.begunOnResource()
      await second.expectState({ messageId, resource }, 'in-flight')
      await second.expectState({ resource }, 'busy')
    }
  },

  'if 5 instances begin one message 50 times at the same time, one call wins': async (open) => {
    const instances = await Promise.all(Array.from({ length: 5 }, () => open({ skewMs: 0 })))
    const begins = Array(10).fill(instances.map((instance) => new CheckedStore(instance)))
    const states = await beginAll(begins.flat(), { messageId: someId('msg') })
    assert.deepEqual(states, { begun: 1, 'in-flight': 49 })
  },
}
