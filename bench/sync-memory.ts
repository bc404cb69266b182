// Measures how much more memory a pass over a million users needs than a pass over 100 000 users, with and without
// `known`. The heap is measured after a forced garbage collection. Each pass has its own process.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { knownUsers, requireComplete, startSyncServer } from './sync-subject.ts'

const few = 100_000
const many = 1_000_000
const maxMegabytes = { known: 200, unknown: 40 }
const samples = 40

const [userCount, knowing, variables] = process.argv.slice(2)
if (userCount)
  console.log(await peakMegabytes(Number(userCount), knowing === 'known', JSON.parse(variables ?? '{}')))
else process.exitCode = (await compare()) ? 0 : 1

async function compare(): Promise<boolean> {
  const peaks: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
  for (const users of [few, many]) {
    const server = await startSyncServer(1, users)
    for (const way of ['known', 'unknown'] as const) {
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--expose-gc',
        fileURLToPath(import.meta.url),
        String(users),
        way,
        JSON.stringify(server.variables),
      ])
      console.log(
        `${users} users, ${way === 'known' ? 'with' : 'without'} known: ${Number(stdout).toFixed(0)} MB at most`,
      )
      peaks[way].push(Number(stdout))
    }
    server.end()
  }
  const verdicts = (['known', 'unknown'] as const).map((way) => {
    const [less = 0, more = Number.POSITIVE_INFINITY] = peaks[way]
    const kept = more - less <= maxMegabytes[way]
    console.log(
      `  ${(more - less).toFixed(0)} MB more ${way === 'known' ? 'with' : 'without'} known, at most ${maxMegabytes[way]}: ${kept ? 'kept' : 'MISSED'}`,
    )
    return kept
  })
  return verdicts.every(Boolean)
}

/** Runs a full pass, and returns the largest heap that was measured during the pass. */
async function peakMegabytes(users: number, known: boolean, env: Record<string, string>): Promise<number> {
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
  return peak
}
