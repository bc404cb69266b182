// Sends a million messages, each about a different user, through the default store. Prints the cost of a message and
// the memory after each 100 000 messages. The store contains at most two generations of 100 000 messages.
import { createDispatcher } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { cpuMs, median } from './measure.ts'

const total = 1_000_000
const step = 100_000
const bound = 200_000

const collect = globalThis.gc
if (!collect) throw new Error('run with --expose-gc: `pnpm bench`')

const dispatcher = createDispatcher({ store: 'memory', logger: false, onUserUpserted: () => {} })
const template = sampleEvent('organization.directory.user_updated')
const before: number[] = []
const after: number[] = []
const heaps: number[] = []

console.log(' messages   CPU a message   heap held     resident')
for (let done = 0; done < total; done += step) {
  const cost = await cpuMs(async () => {
    for (let index = done; index < done + step; index++) {
      const event = { ...template, data: { ...template.data, id: `diruser_${index}` } }
      await dispatcher.dispatch(event, { idempotencyKey: `msg_2KWPBgLlAfxdpx2AI54p${index}` })
    }
  })
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  const micros = (cost * 1000) / step
  const reached = done + step
  ;(reached <= bound ? before : after).push(micros)
  if (reached >= bound + step) heaps.push(heapUsed)
  const mb = (size: number) => `${(size / 2 ** 20).toFixed(1)} MB`.padStart(10)
  console.log(
    `${String(reached).padStart(9)}   ${micros.toFixed(1).padStart(10)} µs  ${mb(heapUsed)}   ${mb(rss)}`,
  )
}
const growth = Math.max(...heaps) / Math.min(...heaps)
console.log(`cost at the bound / before it: ${(median(after) / median(before)).toFixed(2)}`)
console.log(`largest / smallest heap at the bound: ${growth.toFixed(3)}`)
