// Compares full passes of the sync with a loop over the SDK. In one pass, nothing has changed. In another pass, everything
// has changed. The passes and the loop alternate after every 50 pages, so that other load affects all
// equally.
import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync, type DirectoryApi, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { ratios, roundsOr } from './measure.ts'
import { progress, publish } from './report.ts'
import { bareLoop, knownUsers, requireComplete, startSyncServer } from './sync-subject.ts'
import { type Taken, Turns } from './sync-turns.ts'

const userCount = 20_000
const rounds = roundsOr(5)
const stretchPages = 50
const minOfBare = 0.9
const minEvents = 2000

progress(`creating ${userCount} users`)
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

const works = {
  'a loop over the SDK': bare,
  'a pass, all unchanged': (scalekit: DirectoryApi) => pass(scalekit, true),
  'a pass, all changed': (scalekit: DirectoryApi) => pass(scalekit, false),
}
type Name = keyof typeof works
const names = Object.keys(works) as Name[]
const taken = Object.fromEntries(names.map((name): [string, Taken[]] => [name, []])) as Record<Name, Taken[]>

// The first round is a warm-up.
for (let round = 0; round <= rounds; round++) {
  progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
  const all = names.map((name) => ({ name, turns: new Turns(api, works[name]) }))
  while (all.some(({ turns }) => !turns.done)) {
    for (const { turns } of all) if (!turns.done) await turns.take(stretchPages)
  }
  if (round === 0) continue
  for (const { name, turns } of all) taken[name].push(turns.taken)
}
server.end()

const times = (name: Name) => taken[name].map(({ ms }) => ms)
const perSecond = (name: Name) => times(name).map((ms) => (userCount / ms) * 1000)
const speed = (name: Name) => ratios(times('a loop over the SDK'), times(name))
publish({
  title: `Full passes of ${userCount} users, ${rounds} rounds`,
  columns: [
    { name: 'users/s', unit: '', digits: 0 },
    { name: 'CPU per user', unit: 'µs', digits: 0 },
    { name: 'speed', unit: '×', digits: 2 },
  ],
  rows: names.map((name) => ({
    name,
    cells: {
      'users/s': perSecond(name),
      'CPU per user': taken[name].map(({ cpuMs }) => (cpuMs * 1000) / userCount),
      speed: speed(name),
    },
  })),
  verdicts: [
    {
      name: 'speed of a pass, all unchanged, against a loop',
      values: speed('a pass, all unchanged'),
      limit: minOfBare,
      bound: 'at least',
    },
    {
      name: 'events of a pass, all changed',
      values: perSecond('a pass, all changed'),
      limit: minEvents,
      bound: 'at least',
      unit: 'events/s',
    },
  ],
})
