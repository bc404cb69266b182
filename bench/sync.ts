// What the sync's streams cost beside a bare loop over the SDK, and what asking one page ahead gains. Rounds of both
// alternate, so that what else the machine does falls on both alike.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { type DirectoryRef, directoryUsers, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { median, spread } from './measure.ts'

const pageSize = 30
const userCount = 100_000
const walkRounds = 3
const leastOfBare = 0.9
const aheadRounds = 5
const aheadPages = 100
const handlerMs = 5
const serverMs = 20
const leastGain = 1.15

const server = fork(new URL('sync-server.ts', import.meta.url), [String(userCount)])
const [{ variables, directory }]: [{ variables: Record<string, string>; directory: DirectoryRef }] =
  (await once(server, 'message')) as never
const api = await scalekitFromEnv(variables)

/** What anybody would write: page after page, each looked at before the next is asked for. */
async function bareLoop(pages: number, handlePage?: () => Promise<unknown>): Promise<number> {
  let users = 0
  let pageToken = ''
  for (let page = 0; page < pages; page++) {
    const answer = await api.directory.listDirectoryUsers(directory.organizationId, directory.id, {
      pageSize,
      includeDetail: true,
      ...(pageToken && { pageToken }),
    })
    users += answer.users.length
    await handlePage?.()
    pageToken = answer.nextPageToken
    if (!pageToken) break
  }
  return users
}

async function stream(pages: number, handlePage?: () => Promise<unknown>): Promise<number> {
  let users = 0
  for await (const _ of directoryUsers(api, directory)) {
    users++
    if (users % pageSize === 0) await handlePage?.()
    if (users === pages * pageSize) break
  }
  return users
}

async function elapsedMs(walk: () => Promise<number>, expectedUsers: number): Promise<number> {
  const from = performance.now()
  const users = await walk()
  const elapsed = performance.now() - from
  if (users !== expectedUsers) throw new Error(`the walk brought ${users} users of ${expectedUsers}`)
  return elapsed
}

interface Round {
  bareMs: number
  oursMs: number
}

async function compare(
  rounds: number,
  expectedUsers: number,
  pages: number,
  handle?: () => Promise<unknown>,
) {
  await bareLoop(50)
  await stream(50)
  const taken: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const bareMs = await elapsedMs(() => bareLoop(pages, handle), expectedUsers)
    const oursMs = await elapsedMs(() => stream(pages, handle), expectedUsers)
    taken.push({ bareMs, oursMs })
  }
  return taken
}

function show(title: string, taken: readonly Round[], users: number, least: number): boolean {
  const ratios = taken.map(({ bareMs, oursMs }) => bareMs / oursMs)
  const rate = (ms: number) => (users / ms) * 1000
  const kept = median(ratios) >= least
  console.log(title)
  const line = (name: string, values: readonly number[]) =>
    console.log(`  ${name.padEnd(22)} ${spread(values, 'users/s', 0)}`)
  line(
    'a bare loop over the SDK',
    taken.map(({ bareMs }) => rate(bareMs)),
  )
  line(
    'directoryUsers',
    taken.map(({ oursMs }) => rate(oursMs)),
  )
  console.log(`  ${'ratio'.padEnd(24)} ${spread(ratios, '×', 2)}`)
  console.log(`  at least ${least} ×: ${kept ? 'kept' : 'MISSED'}`)
  return kept
}

const walks = await compare(walkRounds, userCount, Number.POSITIVE_INFINITY)
const walksKept = show(
  `${userCount} users, ${walkRounds} rounds: median (least … most)`,
  walks,
  userCount,
  leastOfBare,
)

server.send({ api: { latencyMs: serverMs } })
await once(server, 'message')
const aheadUsers = aheadPages * pageSize
const ahead = await compare(aheadRounds, aheadUsers, aheadPages, () => wait(handlerMs))
const title = `One page ahead: ${serverMs} ms of the server's and ${handlerMs} ms of a handler's a page`
const aheadKept = show(title, ahead, aheadUsers, leastGain)

server.disconnect()
process.exitCode = walksKept && aheadKept ? 0 : 1
