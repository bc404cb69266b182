// Compares the sync's streams with a bare loop over the SDK, and measures the gain of requesting one page ahead. The
// streams and the loop alternate after every 50 pages, so that other load affects both equally.
import { setTimeout as wait } from 'node:timers/promises'
import { directoryUsers, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { cpuMs, median, spread } from './measure.ts'
import { bareLoop, pageSize, startSyncServer } from './sync-subject.ts'

const userCount = 100_000
const stretchPages = 50
const leastOfBare = 0.9
const aheadPages = 500
const handlerMs = 5
const serverMs = 20
const leastGain = 1.15

const server = await startSyncServer(1, userCount)
const directory = server.directories[0] ?? { organizationId: '', id: '' }
const api = await scalekitFromEnv(server.variables)

interface Walk {
  /** Reads the given number of pages, and returns the number of their users. */
  advance(pages: number): Promise<number>
}

function bare(handlePage?: () => Promise<unknown>): Walk {
  const walk = bareLoop(api, directory)
  return {
    async advance(pages) {
      let users = 0
      for (let page = 0; page < pages; page++) {
        const { value } = await walk.next()
        if (value === undefined) break
        users += value
        await handlePage?.()
      }
      return users
    },
  }
}

function stream(handlePage?: () => Promise<unknown>): Walk {
  const records = directoryUsers(api, directory)
  return {
    async advance(pages) {
      let users = 0
      while (users < pages * pageSize && !(await records.next()).done) {
        users++
        if (users % pageSize === 0) await handlePage?.()
      }
      return users
    },
  }
}

interface Taken {
  ms: number
  cpuMs: number
  users: number
}

async function take(walk: Walk, pages: number): Promise<Taken> {
  const from = performance.now()
  let users = 0
  const cpu = await cpuMs(async () => {
    users = await walk.advance(pages)
  })
  return { ms: performance.now() - from, cpuMs: cpu, users }
}

/** Runs the bare loop and the streams in turns of `stretchPages` pages. */
async function compare(wholePages: number, handle?: () => Promise<unknown>) {
  await bare().advance(50)
  await stream().advance(50)
  const [bareWalk, ourWalk] = [bare(handle), stream(handle)]
  const stretches: { bare: Taken; ours: Taken }[] = []
  for (let page = 0; page < wholePages; page += stretchPages) {
    const pages = Math.min(stretchPages, wholePages - page)
    const bare = await take(bareWalk, pages)
    const ours = await take(ourWalk, pages)
    if (bare.users !== ours.users)
      throw new Error(`the loop read ${bare.users} users, and the streams read ${ours.users}`)
    stretches.push({ bare, ours })
  }
  return stretches
}

function show(title: string, stretches: Awaited<ReturnType<typeof compare>>, minRatio: number): boolean {
  const ratios = stretches.map(({ bare, ours }) => bare.ms / ours.ms)
  const kept = median(ratios) >= minRatio
  const line = (name: string, values: readonly number[], unit: string, digits: number) =>
    console.log(`  ${name.padEnd(26)} ${spread(values, unit, digits)}`)
  const lines = (name: string, taken: readonly Taken[]) => {
    line(
      name,
      taken.map(({ users, ms }) => (users / ms) * 1000),
      'users/s',
      0,
    )
    line(
      '',
      taken.map((one) => (one.cpuMs * 1000) / one.users),
      'µs of CPU per user',
      0,
    )
  }
  console.log(`${title}, ${stretches.length} stretches: median (minimum … maximum)`)
  lines(
    'a bare loop over the SDK',
    stretches.map(({ bare }) => bare),
  )
  lines(
    'directoryUsers',
    stretches.map(({ ours }) => ours),
  )
  line('speed', ratios, '×', 2)
  console.log(`  at least ${minRatio} ×: ${kept ? 'kept' : 'MISSED'}`)
  return kept
}

const walkKept = show(`${userCount} users`, await compare(Math.ceil(userCount / pageSize)), leastOfBare)

await server.setFaults({ api: { latencyMs: serverMs } })
const aheadKept = show(
  `One page ahead: ${serverMs} ms of the server's and ${handlerMs} ms of a handler's a page`,
  await compare(aheadPages, () => wait(handlerMs)),
  leastGain,
)

server.end()
process.exitCode = walkKept && aheadKept ? 0 : 1
