// What a full pass costs beside a bare loop over the SDK where nothing has changed, and how many events a second it
// applies where everything has. Directory by directory, the one after the other, so that what else the machine does
// falls on both alike.
import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { cpuMs, median, spread } from './measure.ts'
import { bareLoop, knownUsers, requireComplete, startSyncServer } from './sync-subject.ts'

const directoryCount = 14
const usersEach = 10_000
const leastOfBare = 0.9
const leastEvents = 2000

const server = await startSyncServer(directoryCount, usersEach)
const api = await scalekitFromEnv(server.variables)
const dispatcher = createDispatcher({ store: 'memory', logger: false, onUserUpserted: () => {} })
const shared = { scalekit: api, dispatcher, organizations: 'all', logger: false } as const
const placeOf = new Map(server.directories.map(({ id }, index) => [id, index]))
const unchanged = createDirectorySync({
  ...shared,
  known: { users: ({ id }) => knownUsers((placeOf.get(id) ?? 0) * usersEach, usersEach) },
})
const changed = createDirectorySync(shared)

interface Taken {
  ms: number
  cpuMs: number
}

async function take(work: () => Promise<unknown>): Promise<Taken> {
  const from = performance.now()
  const cpu = await cpuMs(work)
  return { ms: performance.now() - from, cpuMs: cpu }
}

const taken: Record<'bare' | 'unchanged' | 'changed', Taken[]> = { bare: [], unchanged: [], changed: [] }
for (const [index, directory] of server.directories.entries()) {
  const run = { organizations: [directory.organizationId], mode: 'full' } as const
  const bare = async () => {
    let users = 0
    for await (const page of bareLoop(api, directory)) users += page
    if (users !== usersEach) throw new Error(`${users} of ${usersEach} users`)
  }
  const ways = {
    bare: await take(bare),
    unchanged: await take(async () => requireComplete(await unchanged.run(run), usersEach)),
    changed: await take(async () => requireComplete(await changed.run(run), usersEach)),
  }
  // The first ones warm up what all of them run on.
  if (index < 2) continue
  for (const way of ['bare', 'unchanged', 'changed'] as const) taken[way].push(ways[way])
}

const perSecond = ({ ms }: Taken) => (usersEach / ms) * 1000
const rate = (name: string, all: readonly Taken[]) => {
  console.log(`  ${name.padEnd(26)} ${spread(all.map(perSecond), 'users/s', 0)}`)
  const cpu = all.map((one) => (one.cpuMs * 1000) / usersEach)
  console.log(`  ${''.padEnd(26)} ${spread(cpu, 'µs of CPU a user', 0)}`)
}
console.log(`${taken.bare.length} directories of ${usersEach} users: median (least … most)`)
rate('a bare loop over the SDK', taken.bare)
rate('a pass, all unchanged', taken.unchanged)
rate('a pass, all changed', taken.changed)

const ratios = taken.bare.map(({ ms }, index) => ms / (taken.unchanged[index]?.ms ?? Number.NaN))
console.log(`  ${'speed, all unchanged'.padEnd(26)} ${spread(ratios, '×', 2)}`)
const ratioKept = median(ratios) >= leastOfBare
console.log(`  at least ${leastOfBare} × of the bare loop: ${ratioKept ? 'kept' : 'MISSED'}`)
const eventsKept = median(taken.changed.map(perSecond)) >= leastEvents
console.log(`  at least ${leastEvents} events/s, all changed: ${eventsKept ? 'kept' : 'MISSED'}`)

await dispatcher.close()
server.end()
process.exitCode = ratioKept && eventsKept ? 0 : 1
