// Sends messages, each about a different user, through the default store. Measures the CPU of a message and the memory
// after each step. The store contains at most two generations of 100,000 messages. Arguments: the number of messages,
// and the number of messages of a step.
import { createDispatcher } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { cpuMs, median } from './measure.ts'
import { progress, publish, type Row } from './report.ts'

const [total = 1_000_000, step = 100_000] = process.argv.slice(2).map(Number)
const bound = 200_000
const maxHeldMb = 70

const collect = globalThis.gc
if (!collect) throw new Error('run with --expose-gc, or run `npm run bench -- memory`')

const dispatcher = createDispatcher({ store: 'memory', logger: false, onUserUpserted: () => {} })
const template = sampleEvent('organization.directory.user_updated')
const rows: Row[] = []
const costs: number[] = []
const held: number[] = []
const count = (messages: number) => messages.toLocaleString('en-US')

for (let done = 0; done < total; done += step) {
  progress(`${count(done)} of ${count(total)} messages`)
  const tookMs = await cpuMs(async () => {
    for (let index = done; index < done + step; index++) {
      const event = { ...template, data: { ...template.data, id: `diruser_${index}` } }
      await dispatcher.dispatch(event, { idempotencyKey: `msg_2KWPBgLlAfxdpx2AI54p${index}` })
    }
  })
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  const micros = (tookMs * 1000) / step
  const heldMb = (heapUsed + external) / 2 ** 20
  rows.push({
    name: count(done + step),
    cells: { 'CPU per message': [micros], 'heap and external': [heldMb], resident: [rss / 2 ** 20] },
  })
  // Until the bound, the memory grows.
  if (done < bound) continue
  costs.push(micros)
  held.push(heldMb)
}

const middle = costs.length >> 1
publish({
  title: `Default store: ${count(total)} messages about as many users`,
  columns: [
    { name: 'CPU per message', unit: 'µs', digits: 1 },
    { name: 'heap and external', unit: 'MB', digits: 1 },
    { name: 'resident', unit: 'MB', digits: 0 },
  ],
  rows,
  verdicts: [
    { name: 'heap and external at the bound', values: held, limit: maxHeldMb, unit: 'MB' },
    {
      name: 'heap and external at the bound, largest / smallest',
      values: [Math.max(...held) / Math.min(...held)],
      limit: 1.1,
    },
    {
      name: 'CPU per message at the bound, second half / first half',
      values: [median(costs.slice(middle)) / median(costs.slice(0, middle))],
      limit: 1.15,
    },
  ],
})
