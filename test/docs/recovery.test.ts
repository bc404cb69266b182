import { createDirectorySync, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { createReceiver, DropEvent, type HandlerContext } from '@scalekit-scim/express'
import { createSimulator } from '@scalekit-scim/simulator'
import { expect, onTestFinished, test } from 'vitest'

// docs/guides/recover-events.md: a full pass recovers the events that a faulty handler lost.

type Mistake = 'none' | 'throws' | 'drops' | 'writes wrong data'

/** An application whose rows contain the time of the last event, and a directory with one person. */
async function start() {
  const hourAgo = () => Date.now() * 1000 - 3_600_000_000
  const simulator = await createSimulator({ stampMicros: hourAgo })
  const { environment, variables } = simulator
  const rows = new Map<string, { occurredAt: string; isRight: boolean }>()
  const handled: HandlerContext[] = []
  let mistake: Mistake = 'none'
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    onUserUpserted: ({ data }, ctx) => {
      if (mistake === 'throws') throw new Error('a bug')
      if (mistake === 'drops') throw new DropEvent('a-bug')
      handled.push(ctx)
      rows.set(data.id, { occurredAt: ctx.occurredAt, isRight: mistake === 'none' })
    },
  })
  const organization = environment.createOrganization({ displayName: 'Acme' })
  const directory = environment.createDirectory(organization.id)
  let withTimes = true
  const sync = createDirectorySync({
    scalekit: await scalekitFromEnv(variables),
    dispatcher: receiver,
    organizations: 'all',
    logger: false,
    known: {
      users: ({ organizationId }) =>
        [...rows].map(([id, { occurredAt }]) => ({
          id,
          organizationId,
          occurredAt: withTimes ? occurredAt : null,
        })),
    },
  })
  onTestFinished(async () => {
    await receiver.close()
    await simulator.close()
  })
  return {
    rows,
    handled,
    /** Dispatches the event of a new user, like a webhook. */
    async webhook(during: Mistake) {
      mistake = during
      const created = new Promise<Parameters<typeof receiver.dispatch>[0]>((resolve) => {
        onTestFinished(environment.onEvent(resolve))
      })
      const { id } = environment.createUser(directory.id, { attributes: { userName: 'ada' } })
      const { outcome } = await receiver.dispatch(await created, { source: 'webhook' })
      mistake = 'none'
      return { id, outcome }
    },
    async fullPass(given: 'with times' | 'without times' = 'with times') {
      withTimes = given === 'with times'
      const { outcome, totals } = await sync.run({ mode: 'full' })
      expect(outcome).toBe('complete')
      return totals.users
    },
  }
}

test.each([
  ['throws', 'handler-failed'],
  ['drops', 'dropped'],
] as const)('a full pass recovers the event of a handler that %s', async (mistake, expected) => {
  const { webhook, fullPass, rows } = await start()
  const { id, outcome } = await webhook(mistake)
  expect(outcome).toBe(expected)
  expect(await fullPass()).toMatchObject({ seen: 1, created: 1 })
  expect(rows.get(id)?.isRight).toBe(true)
})

test('a row with wrong data is unchanged in a full pass, until `known` leaves out its time', async () => {
  const { webhook, fullPass, rows, handled } = await start()
  const { id, outcome } = await webhook('writes wrong data')
  expect(outcome).toBe('processed')
  await fullPass('without times') // the time of the row is now over a minute after the time of the record
  const before = handled.length
  rows.set(id, { occurredAt: rows.get(id)?.occurredAt ?? '', isRight: false })

  expect(await fullPass()).toMatchObject({ unchanged: 1 })
  expect(rows.get(id)?.isRight).toBe(false)

  expect(await fullPass('without times')).toMatchObject({ updated: 1 })
  expect(rows.get(id)?.isRight).toBe(true)
  expect(handled).toHaveLength(before + 1)
  expect(handled.at(-1)?.occurredAt.localeCompare(handled.at(-2)?.occurredAt ?? '')).toBeGreaterThanOrEqual(0)
})
