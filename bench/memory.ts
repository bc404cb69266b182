// Sends a million messages, each about a different user, through the default store. Prints the cost of a message and
// the memory of the process after each 100 000 messages. The store contains at most two generations of 100 000 messages
// and two of 100 000 resources.
import { createDispatcher } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { cpuMs, median } from './measure.ts'

const total = 1_000_000
const step = 100_000
const bound = 200_000
const maxMegabytes = 70

const collect = globalThis.gc
if (!collect) throw new Error('run with --expose-gc: `pnpm bench`')

const dispatcher = createDispatcher({ store: 'memory', logger: false, onUserUpserted: () => {} })
const template = sampleEvent('organization.directory.user_updated')
const before: number[] = []
const after: number[] = []
const atBound: number[] = []

console.log(' messages   CPU a message   heap + external     resident')
for (let done = 0; done < total; done += step) {
  const cost = await cpuMs(async () => {
    for (let index = done; index < done + step; index++) {
      const event = { ...template, data: { ...template.data, id: `diruser_${index}` } }
      await dispatcher.dispatch(event, { idempotencyKey: `msg_2KWPBgLlAfxdpx2AI54p${index}` })
    }
    // The cost of the collector depends on the number of objects in the store.
    collect()
  })
  const { heapUsed, external, rss } = process.memoryUsage()
  const megabytes = (heapUsed + external) / 2 ** 20
  const micros = (cost * 1000) / step
  const reached = done + step
  ;(reached <= bound ? before : after).push(micros)
  if (reached >= bound) atBound.push(megabytes)
  const columns = [
    String(reached).padStart(9),
    `${micros.toFixed(1)} µs`.padStart(13),
    `${megabytes.toFixed(1)} MB`.padStart(15),
    `${(rss / 2 ** 20).toFixed(1)} MB`.padStart(10),
  ]
  console.log(columns.join('   '))
}
await dispatcher.close()

const largest = Math.max(...atBound)
const isKept = largest <= maxMegabytes
console.log(
  `CPU a message: ${median(before).toFixed(1)} µs before the bound, ${median(after).toFixed(1)} µs at the bound`,
)
console.log(`largest / smallest memory at the bound: ${(largest / Math.min(...atBound)).toFixed(3)}`)
console.log(`${largest.toFixed(1)} MB at the bound, at most ${maxMegabytes}: ${isKept ? 'kept' : 'MISSED'}`)
process.exitCode = isKept ? 0 : 1
