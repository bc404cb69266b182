// Measures how many users per second the SDK lists from the simulator, in pages of 30 with details. Compares the
// simulator with a bare connect server that returns the same pages. Each server has its own process. Rounds alternate.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ScalekitClient } from '@scalekit-sdk/node'
import { ratios, roundsOr } from './measure.ts'
import { progress, publish } from './report.ts'

const users = Number(process.env.USERS ?? 50_000)
const pageSize = 30
const rounds = roundsOr(5)
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

progress(`creating ${users} users`)
const simulator = await start('simulator')
const bare = await start('bare')
const ours: number[] = []
const theirs: number[] = []
for (let round = 0; round < rounds; round++) {
  progress(`round ${round + 1} of ${rounds}`)
  ours.push(await walk(simulator))
  theirs.push(await walk(bare))
}
simulator.child.disconnect()
bare.child.disconnect()

publish({
  title: `Simulator: ${users} users through the SDK, ${pageSize} on a page, ${rounds} walks`,
  columns: [
    { name: 'users/s', unit: '', digits: 0 },
    { name: 'of the bare server', unit: '×', digits: 2 },
  ],
  rows: [
    { name: 'simulator', cells: { 'users/s': ours, 'of the bare server': ratios(ours, theirs) } },
    { name: 'bare connect server', cells: { 'users/s': theirs } },
  ],
  verdicts: [
    {
      name: 'users listed by the simulator',
      values: ours,
      limit: minUsersPerSecond,
      bound: 'at least',
      unit: 'users/s',
    },
  ],
})
