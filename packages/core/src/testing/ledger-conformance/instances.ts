import assert from 'node:assert/strict'
import { begunOnResource, type OpenLedger, someId, someRequest, stateOf, tally } from './requests.ts'

/** The checks of several instances on one store. */
export const instanceChecks: Readonly<Record<string, (open: OpenLedger) => Promise<void>>> = {
  'of two instances whose clocks differ by 60 s, one wins a message and one wins a turn': async (open) => {
    const ahead = await open({ skewMs: 30_000 })
    const behind = await open({ skewMs: -30_000 })
    for (const [first, second] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const { messageId, resource } = await begunOnResource(first)
      assert.equal(await stateOf(second, { messageId, resource }), 'in-flight')
      assert.equal(await stateOf(second, { resource }), 'busy')
    }
  },

  'if 5 instances begin one message 50 times at the same time, one call wins': async (open) => {
    const instances = await Promise.all(Array.from({ length: 5 }, () => open({ skewMs: 0 })))
    const messageId = someId('msg')
    const begins = Array.from({ length: 10 }, () =>
      instances.map((instance) => instance.begin(someRequest({ messageId }))),
    )
    assert.deepEqual(tally(await Promise.all(begins.flat())), { begun: 1, 'in-flight': 49 })
  },
}
