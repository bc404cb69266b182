// Compares the sync's streams with a bare loop over the SDK, and measures the gain of requesting one page ahead. The
// streams and the loop alternate after every 50 pages, so that other load affects both equally.
import { setTimeout as wait } from 'node:timers/promises'
import { directoryUsers, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { cpuMs, ratios } from './measure.ts'
import { progress, publish } from './report.ts'
import { bareLoop, pageSize, startSyncServer } from './sync-subject.ts'

const userCount = 100_000
const stretchPages = 50
const leastOfBare = 0.9
const aheadPages = 500
const handlerMs = 5
const serverMs = 20
const leastGain = 1.15

progress(`creating ${userCount} users`)
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

type Stretches = Record<'bare' | 'ours', Taken[]>

/** Runs the bare loop and the streams in turns of `stretchPages` pages. */
async function compare(wholePages: number, handle?: () => Promise<unknown>): Promise<Stretches> {
  await bare().advance(50)
  await stream().advance(50)
  const [bareWalk, ourWalk] = [bare(handle), stream(handle)]
  const stretches: Stretches = { bare: [], ours: [] }
  for (let page = 0; page < wholePages; page += stretchPages) {
    progress(`page ${page} of ${wholePages}`)
    const pages = Math.min(stretchPages, wholePages - page)
    const bare = await take(bareWalk, pages)
    const ours = await take(ourWalk, pages)
    if (bare.users !== ours.users)
      throw new Error(`the loop read ${bare.users} users, and the streams read ${ours.users}`)
    stretches.bare.push(bare)
    stretches.ours.push(ours)
  }
  return stretches
}

function report(title: string, { bare, ours }: Stretches, minSpeed: number): void {
  const speed = ratios(times(bare), times(ours))
  publish({
    title: `${title}, ${ours.length} stretches of ${stretchPages} pages`,
    columns: [
      { name: 'users/s', unit: '', digits: 0 },
      { name: 'CPU per user', unit: 'µs', digits: 0 },
      { name: 'speed', unit: '×', digits: 2 },
    ],
    rows: [
      { name: 'a loop over the SDK', cells: cellsOf(bare) },
      { name: 'directoryUsers', cells: { ...cellsOf(ours), speed } },
    ],
    verdicts: [
      {
        name: `speed of directoryUsers, ${title}`,
        values: speed,
        limit: minSpeed,
        bound: 'at least',
      },
    ],
  })
}

function times(taken: readonly Taken[]): number[] {
  return taken.map(({ ms }) => ms)
}

function cellsOf(taken: readonly Taken[]) {
  return {
    'users/s': taken.map(({ users, ms }) => (users / ms) * 1000),
    'CPU per user': taken.map(({ cpuMs, users }) => (cpuMs * 1000) / users),
  }
}

const whole = await compare(Math.ceil(userCount / pageSize))
report(`${userCount} users`, whole, leastOfBare)

await server.setFaults({ api: { latencyMs: serverMs } })
const ahead = await compare(aheadPages, () => wait(handlerMs))
report(`${serverMs} ms of the server and ${handlerMs} ms of a handler for each page`, ahead, leastGain)
server.end()
