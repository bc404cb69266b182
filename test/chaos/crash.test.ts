import { afterAll, describe, expect, test } from 'vitest'
import { sized } from '../support/sizes.ts'
import { moment, userMessage } from './events.ts'
import type { Kill, KillPoint } from './fleet.ts'
import { Random, seed } from './random.ts'
import { byMessage, completed, expectDelivered, openScene } from './scene.ts'
import { inParallel, Sender, tally } from './sender.ts'
import { openStores, type StoreKind } from './stores.ts'

const handlerMs = 20
const users = sized(100, 200)
const points: KillPoint[] = ['begin', 'handler', 'effect', 'commit']
const timeout = 300_000

const stores = await openStores()
afterAll(() => stores.close())

describe.each<StoreKind>(['redis', 'postgres', 'mysql'])('killed processes, on %s', (kind) => {
  const place = () => ({
    store: { kind, url: stores[kind] ?? '' },
    journalUrl: stores.postgres ?? '',
  })
  const skip = !stores[kind] || !stores.postgres

  test.skipIf(skip)(
    'nothing is lost, and a handler runs again only if its process was killed between its effect and the commit',
    { timeout },
    async () => {
      const kills = plannedKills(sized(8, 16))
      const { journal, fleet, sender } = await openScene({
        ...place(),
        processes: 4,
        kills,
        handlerMs,
        // The lease is short, so that the test is short. It is longer than the delays of a process on a busy machine.
        receiver: { leaseSeconds: 4 },
      })
      // Each user has two messages, so that the turn of a killed process also blocks an event of a running process.
      const messages = Array.from({ length: 2 * users }, (_, index) =>
        userMessage(`msg_${index}`, {
          userId: `user-${index % users}`,
          state: String(index),
          occurredAt: moment(index),
        }),
      )
      const sent = await inParallel(32, messages, (message) => sender.send(message))
      const runs = await journal.runs()
      const again = [...byMessage(completed(runs)).values()].filter(({ length }) => length > 1)
      console.log(
        `crash on ${kind}: ${fleet.killed.length} kills, ${again.length} handlers ran again`,
        tally(sent.flatMap(({ attempts }) => attempts)),
      )

      expect(fleet.killed).toHaveLength(kills.length)
      expect(fleet.crashed).toEqual([])
      expectDelivered(sent, runs)
      const uncommittedBy = new Map(fleet.killed.map(({ name, uncommitted }) => [name, uncommitted]))
      const unexplained = again.flatMap((runsOfIt) =>
        runsOfIt
          .slice(0, -1)
          .filter(({ instance, messageId }) => !uncommittedBy.get(instance)?.includes(messageId)),
      )
      expect(unexplained).toEqual([])

      const accounts = await journal.accounts()
      const wrong = messages.slice(users).filter(({ userId, state }) => accounts.get(userId)?.state !== state)
      expect(wrong.map(({ userId }) => userId)).toEqual([])
    },
  )

  test.skipIf(skip)(
    'with Scalekit’s first waits, the message of a killed process is done within 15 s of the kill',
    { timeout },
    async () => {
      // The kills happen during the begin, the handler's work and its write, and between the write and the commit.
      const kills = points.map((point): Kill => ({ point, skip: 0, delayMs: point === 'commit' ? 0 : 1 }))
      const { journal, fleet, random } = await openScene({
        ...place(),
        // Some processes remain for the second attempt, because a new process may start slowly.
        processes: kills.length + 2,
        kills,
        handlerMs,
      })
      const urls = fleet.instances.slice(0, kills.length).map(({ url }) => url ?? '')
      const sent = await Promise.all(
        urls.map((url, index) => {
          const message = userMessage(`msg_${index}`, {
            userId: `user-${index}`,
            state: '1',
            occurredAt: moment(0),
          })
          let attempts = 0
          const target = async () => (attempts++ === 0 ? url : fleet.target(random))
          // The sender waits 5 s, with jitter. The attempt after that is too late, because it begins 5 minutes later.
          const waitsMs = [0, 4000 + random.below(2001)]
          const sender = new Sender({ target, waitsMs })
          return sender.send(message).finally(() => sender.close())
        }),
      )
      const runs = completed(await journal.runs())

      expect(fleet.killed).toHaveLength(kills.length)
      expectDelivered(sent, runs)
      const secondsAfterKill = sent.map(({ messageId, attempts }) => {
        const done = runs.findLast((run) => run.messageId === messageId)
        return Number((done?.endedNs ?? 0n) - (attempts[0]?.answeredNs ?? 0n)) / 1e9
      })
      console.log(
        `real waits on ${kind}: done after the kill in`,
        secondsAfterKill.map((s) => `${s.toFixed(1)} s`),
      )
      expect(secondsAfterKill.filter((seconds) => seconds > 15)).toEqual([])
    },
  )
})

function plannedKills(count: number): Kill[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, index) => {
    const point = points[index % points.length] ?? 'handler'
    return {
      point,
      skip: random.below(10),
      // Half of the kills happen just before the step, and the other half during the step.
      delayMs: random.below(2) * (1 + random.below(point === 'handler' ? handlerMs : 3)),
    }
  })
}
