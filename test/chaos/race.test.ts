import { afterAll, describe, expect, test } from 'vitest'
import { sized } from '../support/sizes.ts'
import { moment, userMessage } from './events.ts'
import { byMessage, completed, expectDelivered, openScene } from './scene.ts'
import { inParallel, tally } from './sender.ts'
import { openStores, type StoreKind } from './stores.ts'

const processes = 8
const copies = 20
const messages = sized(100, 1000)
/** Messages that are sent at the same time, each with all its copies. */
const atOnce = 10
const timeout = 300_000

const stores = await openStores()
afterAll(() => stores.close())

describe.each<StoreKind>(['redis', 'postgres', 'mysql'])('a race on %s', (kind) => {
  test.skipIf(!stores[kind] || !stores.postgres)(
    `with ${processes} processes, ${messages} messages and ${copies} concurrent copies of each, every handler runs exactly once`,
    { timeout },
    async () => {
      const { runs, sent } = await race({ kind, messages })

      expect(repeated(runs)).toEqual([])
      expect(completed(runs)).toHaveLength(messages)
      expectDelivered(sent, runs)
    },
  )
})

test.skipIf(!stores.redis || !stores.postgres)(
  'on a store without an atomic begin, the same race runs handlers twice',
  { timeout },
  async () => {
    const { runs } = await race({ kind: 'redis', messages: 50, generic: true })
    expect(repeated(runs)).not.toEqual([])
  },
)

async function race({ kind, messages, generic }: { kind: StoreKind; messages: number; generic?: boolean }) {
  const { journal, fleet, sender } = await openScene({
    store: { kind, url: stores[kind] ?? '' },
    journalUrl: stores.postgres ?? '',
    processes,
    handlerMs: 10,
    generic: generic ?? false,
  })
  expect(new Set(fleet.guarantees)).toEqual(new Set([generic ? 'best-effort' : 'atomic']))
  const all = Array.from({ length: messages }, (_, index) =>
    userMessage(`msg_${index}`, { userId: `user-${index}`, state: '1', occurredAt: moment(index) }),
  )

  const startedMs = performance.now()
  const copiesSent = await inParallel(atOnce, all, (message) =>
    Promise.all(Array.from({ length: copies }, () => sender.send(message))),
  )
  const sent = copiesSent.flat()
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const outcomes = tally(sent.flatMap(({ attempts }) => attempts))
  console.log(`race on ${kind}: ${sent.length} copies in ${seconds} s`, outcomes, await fleet.calls())

  expect(fleet.crashed).toEqual([])
  return { runs: await journal.runs(), sent }
}

/** The messages whose handler ran more than once. */
function repeated(runs: Parameters<typeof byMessage>[0]): string[] {
  return [...byMessage(runs)].filter(([, runsOfIt]) => runsOfIt.length > 1).map(([messageId]) => messageId)
}
