// Measures how many users per second the SDK lists from the simulator, in pages of 30 with details. Compares the
// simulator with a bare connect server that returns the same pages. Each server has its own process. Rounds alternate.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ScalekitClient } from '@scalekit-sdk/node'
import { median, spread } from './measure.ts'

const users = Number(process.env.USERS ?? 100_000)
const pageSize = 30
const rounds = 3
const minUsersPerSecond = 5000

interface Target {
  child: ChildProcess
  sdk: ScalekitClient
  organizationId: string
  directoryId: string
}

async function start(kind: 'simulator' | 'bare'): Promise<Target> {
  const path = fileURLToPath(new URL('simulator-server.ts', import.meta.url))
  const child = fork(path, [kind, String(users), String(pageSize)])
  const [started] = await once(child, 'message')
  const {
    SCALEKIT_ENVIRONMENT_URL,
    SCALEKIT_CLIENT_ID,
    SCALEKIT_CLIENT_SECRET,
    organizationId,
    directoryId,
  } = started
  const sdk = new ScalekitClient(SCALEKIT_ENVIRONMENT_URL, SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET)
  return { child, sdk, organizationId, directoryId }
}

/** Lists all users once, and returns the users per second. */
async function walk({ sdk, organizationId, directoryId }: Target): Promise<number> {
  const seen = new Set<string>()
  const startedAtMs = performance.now()
  let pageToken = ''
  do {
    const options = { pageSize, pageToken, includeDetail: true }
    const page = await sdk.directory.listDirectoryUsers(organizationId, directoryId, options)
    for (const { id } of page.users) seen.add(id)
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  if (seen.size !== users) throw new Error(`${seen.size} of ${users} users were listed`)
  return users / ((performance.now() - startedAtMs) / 1000)
}

const simulator = await start('simulator')
const bare = await start('bare')
const ours: number[] = []
const theirs: number[] = []
for (let round = 0; round < rounds; round++) {
  ours.push(await walk(simulator))
  theirs.push(await walk(bare))
}
simulator.child.kill()
bare.child.kill()

const ratios = ours.map((rate, round) => rate / (theirs[round] ?? Number.NaN))
console.log(`${users} users through the SDK, ${pageSize} a page, ${rounds} walks: median (minimum … maximum)`)
console.log(`  simulator            ${spread(ours, 'users/s', 0)}`)
console.log(`  bare connect server  ${spread(theirs, 'users/s', 0)}`)
console.log(`  ratio                ${spread(ratios, '×', 2)}`)
const kept = median(ours) >= minUsersPerSecond
console.log(`  at least ${minUsersPerSecond} users/s: ${kept ? 'kept' : 'MISSED'}`)
process.exitCode = kept ? 0 : 1
