// Measures how much more memory a pass over a million users needs than a pass over 100 000 users, with and without
// `known`. The heap is measured after a forced garbage collection. Each pass has its own process.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { progress, publish } from './report.ts'
import { knownUsers, requireComplete, startSyncServer } from './sync-subject.ts'

const few = 100_000
const many = 1_000_000
const maxMegabytes = { known: 200, unknown: 40 }
const samples = 40

const ways = ['known', 'unknown'] as const
type Way = (typeof ways)[number]
const nameOf = { known: 'with known', unknown: 'without known' }

const [userCount, knowing, variables] = process.argv.slice(2)
if (userCount === undefined) await compare()
else
  process.send?.(await peakMegabytes(Number(userCount), knowing === 'known', JSON.parse(variables ?? '{}')))

async function compare(): Promise<void> {
  const peaks = {
    known: { [few]: 0, [many]: 0 },
    unknown: { [few]: 0, [many]: 0 },
  }
  for (const users of [few, many] as const) {
    progress(`creating ${users} users`)
    const server = await startSyncServer(1, users)
    for (const way of ways) {
      progress(`${users} users, ${nameOf[way]}`)
      peaks[way][users] = await peakOfProcess(users, way, server.variables)
    }
    server.end()
  }
  const [fewUsers, manyUsers] = [`${few} users`, `${many} users`]
  publish({
    title: 'Full pass: the largest heap with external memory',
    columns: [fewUsers, manyUsers].map((name) => ({ name, unit: 'MB', digits: 0 })),
    rows: ways.map((way) => ({
      name: nameOf[way],
      cells: { [fewUsers]: [peaks[way][few]], [manyUsers]: [peaks[way][many]] },
    })),
    verdicts: ways.map((way) => ({
      name: `more memory for ${many} users, ${nameOf[way]}`,
      values: [peaks[way][many] - peaks[way][few]],
      limit: maxMegabytes[way],
      unit: 'MB',
    })),
  })
}

async function peakOfProcess(users: number, way: Way, variables: Record<string, string>): Promise<number> {
  const args = [String(users), way, JSON.stringify(variables)]
  const child = fork(new URL(import.meta.url), args, { execArgv: ['--expose-gc'] })
  const [peak] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])])
  if (typeof peak !== 'number') throw new Error('the process of a pass ended without a figure')
  return peak
}

/** Runs a full pass, and returns the largest heap that was measured during the pass. */
async function peakMegabytes(users: number, known: boolean, env: Record<string, string>): Promise<number> {
  process.on('disconnect', () => process.exit())
  const dispatcher = createDispatcher({ store: 'memory', logger: false, onDirectoryEnabled: () => {} })
  const sync = createDirectorySync({
    scalekit: await scalekitFromEnv(env),
    dispatcher,
    organizations: 'all',
    logger: false,
    ...(known ? { known: { users: () => knownUsers(0, users) } } : {}),
  })
  let peak = 0
  let measuredAt = 0
  const report = await sync.run({
    mode: 'full',
    onProgress({ seen }) {
      if (seen < measuredAt) return
      measuredAt += users / samples
      globalThis.gc?.()
      const { heapUsed, external } = process.memoryUsage()
      peak = Math.max(peak, (heapUsed + external) / 2 ** 20)
    },
  })
  requireComplete(report, users)
  await dispatcher.close()
  setImmediate(() => process.disconnect())
  return peak
}
