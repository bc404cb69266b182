import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { moment, userMessage } from './events.ts'
import { expectDelivered, openScene } from './scene.ts'
import { inParallel, type SentMessage, tally } from './sender.ts'
import { type OwnServer, ownMysql, ownPostgres, ownRedis } from './servers.ts'
import { openStores, type StoreKind, warnMissing } from './stores.ts'

const deadlineSeconds = 3
const timeout = 300_000

const stores = await openStores()
afterAll(() => stores.close())
const own = { redis: await ownRedis(), postgres: await ownPostgres(), mysql: await ownMysql() }
afterAll(async () => {
  await own.redis?.destroy()
  await own.postgres?.destroy()
  await own.mysql?.destroy()
})

type Fault = (server: OwnServer) => Promise<void>

const faults: Record<string, Fault> = {
  'killed, down for two seconds, and started again': async (server) => {
    await server.kill()
    await sleep(2000)
    await server.start()
  },
  'frozen for longer than our deadline': async (server) => {
    server.freeze()
    await sleep((deadlineSeconds + 1.5) * 1000)
    server.thaw()
  },
  'frozen, then killed and started again': async (server) => {
    server.freeze()
    await sleep(1500)
    await server.kill()
    await server.start()
  },
}

describe.each<StoreKind>(['redis', 'postgres', 'mysql'])('a %s that fails under load', (kind) => {
  const server = own[kind]
  if (!server) warnMissing(kind)

  test.skipIf(!server || !stores.postgres).each(Object.entries(faults))(
    '%s: no request hangs, no event is answered 2xx without its effect, and later events are processed',
    { timeout },
    async (name, fail) => {
      if (!server) return
      const { journal, fleet, sender } = await openScene({
        store: { kind, url: server.url },
        journalUrl: stores.postgres ?? '',
        processes: 4,
        handlerMs: 20,
        receiver: { deadlineSeconds, leaseSeconds: 4, storeTimeoutSeconds: 1 },
        // A request counts as hung after the deadline and the possible delay of a busy machine.
        timeoutMs: (deadlineSeconds + 3) * 1000,
      })
      const sent: SentMessage[] = []
      let over = false
      let next = 0
      const load = Array.from({ length: 24 }, async () => {
        while (!over) {
          const index = next++
          const change = { userId: `user-${index}`, state: '1', occurredAt: moment(index) }
          sent.push(await sender.send(userMessage(`msg_${index}`, change)))
          // The senders pause, because senders without a pause use all of the CPU, which is another fault.
          await sleep(50)
        }
      })
      await sleep(1500)
      await fail(server)
      await sleep(1500)
      over = true
      await Promise.all(load)
      const afterwards = Array.from({ length: 100 }, (_, index) =>
        userMessage(`msg_after_${index}`, {
          userId: `after-${index}`,
          state: '1',
          occurredAt: moment(index),
        }),
      )
      const well = await inParallel(24, afterwards, (message) => sender.send(message))
      const outcomes = tally(sent.flatMap(({ attempts }) => attempts))
      console.log(`${kind} ${name}: ${sent.length} messages`, outcomes)

      expect(fleet.crashed).toEqual([])
      expect(outcomes['timed-out'] ?? 0).toBe(0)
      expect(outcomes['store-unavailable'] ?? 0).toBeGreaterThan(0)
      expectDelivered([...sent, ...well], await journal.runs())
      expect(tally(well.flatMap(({ attempts }) => attempts))).toEqual({ processed: well.length })
    },
  )
})
