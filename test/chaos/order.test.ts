import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { sized } from '../support/sizes.ts'
import { moment, type UserMessage, userMessage } from './events.ts'
import type { Account, Run } from './journal.ts'
import { byMessage, expectDelivered, openScene } from './scene.ts'
import { inParallel, Sender, tally } from './sender.ts'
import { openStores, type StoreKind } from './stores.ts'

const users = sized(80, 200)
const updates = 20
const timeout = 300_000

const stores = await openStores()
afterAll(() => stores.close())

describe.each<StoreKind>(['redis', 'postgres', 'mysql'])('the newest wins, on %s', (kind) => {
  const place = () => ({
    store: { kind, url: stores[kind] ?? '' },
    journalUrl: stores.postgres ?? '',
    processes: 4,
  })
  const skip = !stores[kind] || !stores.postgres

  test.skipIf(skip)(
    `${users} users, ${updates} updates each, shuffled, duplicated and delayed: each ends in its newest state`,
    { timeout },
    async () => {
      const { journal, fleet, sender, random } = await openScene({ ...place(), handlerMs: 10 })
      const messages = Array.from({ length: users }, (_, user) => historyOf(user)).flat()
      const duplicates = random.shuffled(messages).slice(0, messages.length / 10)
      const shuffled = random.shuffled([...messages, ...duplicates])
      const late = shuffled.splice(0, shuffled.length / 20)

      const startedMs = performance.now()
      const send = async (message: UserMessage) => {
        await sleep(random.below(20))
        return sender.send(message)
      }
      const sent = [...(await inParallel(100, shuffled, send)), ...(await inParallel(100, late, send))]
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
      const runs = await journal.runs()
      const { polls, renew, begin, commit } = await fleet.calls()
      const extra = (polls + renew) / sent.length
      console.log(
        `order on ${kind}: ${sent.length} deliveries in ${seconds} s;`,
        `round trips beyond a begin and a commit: ${extra.toFixed(3)} a delivery,`,
        `${((begin + commit + renew) / sent.length).toFixed(3)} in all`,
        tally(sent.flatMap(({ attempts }) => attempts)),
      )

      expectDelivered(sent, runs)
      expect(fleet.crashed).toEqual([])
      expect([...byMessage(runs).values()].filter(({ length }) => length > 1)).toEqual([])
      expect(overlaps(runs)).toEqual([])
      expectNewest(messages, await journal.accounts())
      expect(extra).toBeLessThan(0.6)
    },
  )

  test.skipIf(skip)(
    'processes that are stopped in their handlers until others have gone on: the guarded rows are right',
    { timeout },
    async () => {
      const { journal, fleet, sender, random } = await openScene({
        ...place(),
        handlerMs: 1000,
        receiver: { leaseSeconds: 2, storeTimeoutSeconds: 1 },
      })
      const stalled = fleet.instances.slice(0, 2)
      const histories = Array.from({ length: 40 }, (_, user) => historyOf(user).slice(-5))
      const oldest = histories.flatMap(([first]) => first ?? [])
      const others = random.shuffled(histories.flatMap(([, ...rest]) => rest))

      const toStalled = new Sender({
        target: async () => stalled[random.below(2)]?.url ?? fleet.target(random),
        waitsMs: [0],
      })
      // A busy machine may have no answer of the store in time: such a message never comes to run, and none waits for it.
      let turnedAway = 0
      const stuck = Promise.all(
        oldest.map(async (message) => {
          const sent = await toStalled.send(message)
          if (sent.attempts.at(-1)?.outcome === 'store-unavailable') turnedAway++
          return sent
        }),
      )
      while ((await journal.runs()).length + turnedAway < oldest.length) await sleep(20)
      const woken = Promise.all(stalled.map((instance) => instance.stall(6000)))
      const awake = fleet.instances.filter((instance) => !stalled.includes(instance))
      const toAwake = new Sender({
        target: async () => awake[random.below(awake.length)]?.url ?? '',
        waitsMs: [0, ...Array.from({ length: 30 }, () => 1000)],
      })
      const sent = await inParallel(100, others, (message) => toAwake.send(message))
      await woken
      const first = await stuck
      const again = await inParallel(100, oldest, (message) => sender.send(message))
      toStalled.close()
      toAwake.close()
      const runs = await journal.runs()
      const refused = runs.filter(({ wrote }) => wrote === false).length
      console.log(
        `stalls on ${kind}: the guard refused ${refused} of ${runs.length} writes;`,
        tally([...first, ...again, ...sent].flatMap(({ attempts }) => attempts)),
      )

      expectDelivered([...sent, ...again], runs)
      expectNewest(histories.flat(), await journal.accounts())
      expect(refused).toBeGreaterThan(0)
    },
  )
})

/**
 * One user's events, the oldest first. Half of the users have theirs within one microsecond. Every fifth is deleted
 * in the end, and has an update of the deletion's very time, which must not bring it back.
 */
function historyOf(user: number): UserMessage[] {
  const isDeleted = user % 5 === 0
  return Array.from({ length: updates }, (_, index) => {
    const last = index === updates - 1
    const tick = isDeleted && last ? index - 1 : index
    const occurredAt = user % 2 === 0 ? moment(user, 500_000 + tick) : moment(user * 100 + tick)
    const deleted = isDeleted && last
    const state = deleted ? 'deleted' : String(index)
    return userMessage(`msg_${user}_${index}`, { userId: `user-${user}`, state, occurredAt, deleted })
  })
}

function expectNewest(messages: readonly UserMessage[], accounts: ReadonlyMap<string, Account>): void {
  const newest = new Map(
    messages.map(({ userId, state, occurredAt, deleted = false }) => [
      userId,
      { state, deleted, occurredAt },
    ]),
  )
  expect(Object.fromEntries(accounts)).toEqual(Object.fromEntries(newest))
}

/** Pairs of runs for one user that were under way at once. */
function overlaps(runs: readonly Run[]): [Run, Run][] {
  const pairs: [Run, Run][] = []
  for (const runsOfUser of Map.groupBy(runs, ({ userId }) => userId).values()) {
    for (const [index, next] of runsOfUser.entries()) {
      const before = runsOfUser[index - 1]
      if (before?.endedNs !== undefined && next.startedNs < before.endedNs) pairs.push([before, next])
    }
  }
  return pairs
}
