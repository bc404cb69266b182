import { setTimeout as sleep } from 'node:timers/promises'
import { createDispatcher, createReceiver, type Ledger } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'

const hire = sampleEvent('organization.directory.user_created')

/** Creates a real ledger with late answers to begin, as over a slow network. */
function slowLedger(delayMs: () => number): Ledger {
  const { ledger } = createDispatcher({ store: 'memory', logger: false })
  return {
    guarantee: ledger.guarantee,
    begin: async (request) => {
      const answer = await ledger.begin(request)
      await sleep(delayMs())
      return answer
    },
    renew: (...args) => ledger.renew(...args),
    commit: (...args) => ledger.commit(...args),
    release: (...args) => ledger.release(...args),
    forget: (...args) => ledger.forget(...args),
    forgetResource: (...args) => ledger.forgetResource(...args),
    record: (name) => ledger.record(name),
    now: () => ledger.now(),
  }
}

// The delays are well before and well after the deadline. Close to the deadline, the order of two timers is random.
test.each([0, 150, 195, 198, 199, 200, 201, 202, 205, 300])(
  'a claim that arrives %i ms after the request, with a deadline at 200 ms, runs in time or is released',
  async (delayMs) => {
    let wait = delayMs
    let runs = 0
    let finished = false
    const receiver = createReceiver({
      secret: TEST_SECRET,
      logger: false,
      store: slowLedger(() => wait),
      deadlineSeconds: 0.2,
      onUserUpserted: async () => {
        runs++
        await sleep(300)
        finished = true
      },
    })
    const attempt = () => receiver.receive({ url: '/', ...signDelivery(hire, { messageId: 'msg_slow' }) })
    const { outcome, status } = await attempt()
    expect(status).toBe(503)
    expect(finished, 'the reply did not wait for the handler').toBe(false)
    if (outcome !== 'deadline') expect(runs).toBe(0)

    wait = 0
    await sleep(400)
    const done = runs === 1
    expect((await attempt()).outcome).toBe(done ? 'duplicate' : 'deadline')
    expect(runs).toBe(1)
    await receiver.close()
  },
)
