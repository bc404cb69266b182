// Compares a full pass without changes with a bare loop over the SDK. The pass and the loop alternate after every 50
// pages, so that other load affects both equally. Also measures the events per second of a pass in which everything has
// changed.
import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync, type DirectoryApi, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { median, spread } from './measure.ts'
import { bareLoop, knownUsers, requireComplete, startSyncServer } from './sync-subject.ts'
import { type Taken, Turns } from './sync-turns.ts'

const userCount = 100_000
const rounds = 3
const stretchPages = 50
const minOfBare = 0.9
const minEvents = 2000

const server = await startSyncServer(1, userCount)
const directory = server.directories[0] ?? { organizationId: '', id: '' }
const api = await scalekitFromEnv(server.variables)

async function bare(scalekit: DirectoryApi): Promise<void> {
  let users = 0
  for await (const page of bareLoop(scalekit, directory)) users += page
  if (users !== userCount) throw new Error(`${users} of ${userCount} users`)
}

async function pass(scalekit: DirectoryApi, everythingIsKnown: boolean): Promise<void> {
  await using dispatcher = createDispatcher({ store: 'memory', logger: false, onUserUpserted: () => {} })
  const sync = createDirectorySync({
    scalekit,
    dispatcher,
    organizations: 'all',
    logger: false,
    ...(everythingIsKnown ? { known: { users: () => knownUsers(0, userCount) } } : {}),
  })
  requireComplete(await sync.run({ mode: 'full' }), userCount)
}

const taken: Record<'bare' | 'unchanged' | 'changed', Taken[]> = { bare: [], unchanged: [], changed: [] }
// The first round is a warm-up.
for (let round = 0; round <= rounds; round++) {
  const bareTurns = new Turns(api, bare)
  const unchangedTurns = new Turns(api, (scalekit) => pass(scalekit, true))
  const both = [bareTurns, unchangedTurns]
  while (both.some(({ done }) => !done)) {
    for (const turns of both.filter(({ done }) => !done)) await turns.take(stretchPages)
  }
  if (round === 0) continue
  taken.bare.push(bareTurns.taken)
  taken.unchanged.push(unchangedTurns.taken)
}
const changedTurns = new Turns(api, (scalekit) => pass(scalekit, false))
await changedTurns.take(Number.POSITIVE_INFINITY)
taken.changed.push(changedTurns.taken)

const perSecond = ({ ms }: Taken) => (userCount / ms) * 1000
const rate = (name: string, all: readonly Taken[]) => {
  console.log(`  ${name.padEnd(26)} ${spread(all.map(perSecond), 'users/s', 0)}`)
  const cpu = all.map((one) => (one.cpuMs * 1000) / userCount)
  console.log(`  ${''.padEnd(26)} ${spread(cpu, 'µs of CPU per user', 0)}`)
}
console.log(`${userCount} users, ${rounds} rounds: median (minimum … maximum)`)
rate('a bare loop over the SDK', taken.bare)
rate('a pass, all unchanged', taken.unchanged)
rate('a pass, all changed', taken.changed)

const ratios = taken.bare.map(({ ms }, index) => ms / (taken.unchanged[index]?.ms ?? Number.NaN))
console.log(`  ${'speed, all unchanged'.padEnd(26)} ${spread(ratios, '×', 2)}`)
const ratioKept = median(ratios) >= minOfBare
console.log(`  at least ${minOfBare} × of the bare loop: ${ratioKept ? 'kept' : 'MISSED'}`)
const eventsKept = median(taken.changed.map(perSecond)) >= minEvents
console.log(`  at least ${minEvents} events/s, all changed: ${eventsKept ? 'kept' : 'MISSED'}`)

server.end()
process.exitCode = ratioKept && eventsKept ? 0 : 1
