import { Application } from './application.ts'
import type { Circumstances } from './cause-finder.ts'
import { Database } from './database.ts'
import { causesIn } from './documented-causes.ts'
import { noLeaks, nothingStuck } from './end-invariants.ts'
import { FaultInjector } from './fault-injector.ts'
import { Findings } from './findings.ts'
import { Fleet } from './fleet.ts'
import { messagesOf } from './messages.ts'
import type { Plan } from './plan.ts'
import { HistoryRecord } from './record.ts'
import {
  effectBeforeReply,
  refusedForReason,
  repliesByDeadline,
  repliesFromTable,
} from './reply-invariants.ts'
import { completedOnce, newestWins, oneAtATime } from './run-invariants.ts'
import { Sender } from './sender.ts'
import { AtomicStore } from './stores/atomic-store.ts'
import { CompareAndSetStore } from './stores/compare-and-set-store.ts'
import { KeyvStore } from './stores/keyv-store.ts'
import { MemoryStore } from './stores/memory-store.ts'
import { Server } from './stores/server.ts'
import type { OnRecorded, SimulatedStore } from './stores/simulated-store.ts'
import { seedOf } from './stream.ts'
import { World } from './world.ts'

const longestFaultMs = 200_000
const longestCloseMs = 40_000
/** Longer than all attempts of a message. */
const longestHistoryMs = 40 * 3_600_000

export interface HistoryOptions {
  isStrict?: boolean
  isTold?: boolean
}

export interface HistoryResult {
  plan: Plan
  findings: Findings
  record: HistoryRecord
  story: string[]
  virtualMs: number
  events: number
}

/** Runs the history of a plan, and checks the invariants. */
export async function runHistory(plan: Plan, options: HistoryOptions = {}): Promise<HistoryResult> {
  const world = new World({ seed: seedOf(plan.seed, 'world'), ...options })
  const record = new HistoryRecord()
  const quietMs = endOfFaults(plan)
  const { server, store, database, fleet, sender } = stage(plan, world, record, quietMs)
  await withoutUnhandledRejections(world, record, async () => {
    await world.run(quietMs)
    if (sender.open.size > 0) await world.run(longestHistoryMs, () => sender.open.size === 0)
    await world.run(world.nowMs + longestHandlerMs(plan))
  })
  const findings = check({ plan, record, server }, quietMs, world.nowMs, database)
  noLeaks(fleet, store, world.nowMs, findings)
  findings.violations.push(...record.violations)
  for (const { invariant, atMs, detail } of findings.violations) {
    world.story.tell(() => `!!! ${invariant}: ${detail}`, atMs)
  }
  return { plan, findings, record, story: world.story.lines, virtualMs: world.nowMs, events: world.events }
}

/** Creates everything that takes part in a history, and schedules its messages and faults. */
function stage(plan: Plan, world: World, record: HistoryRecord, quietMs: number) {
  const server = new Server(world, {
    clockOffsetMs: plan.clockOffsetsMs.store,
    callsDieWithProcess: plan.kind === 'keyv',
    // A verb needs at most five calls, one after the other.
    troubledFromMs: (plan.options.storeTimeoutSeconds * 1000) / 5,
  })
  server.faults = plan.network
  const store = openStore(plan, server, (messageId) => {
    record.recorded.push({ messageId, atMs: world.nowMs })
    world.story.tell(() => `    store: ${messageId} is done`)
  })
  const messages = new Map(messagesOf(plan).map((message) => [message.id, message]))
  const database = new Database(world, plan.isGuarded)
  const isQuiet = () => world.nowMs >= quietMs
  const scene = { world, plan, record, database, messages, isQuiet, server, store }
  const fleet = new Fleet({ ...scene, application: new Application(scene) })
  const sender = new Sender({ ...scene, fleet })
  const faults = new FaultInjector({ ...scene, fleet })
  for (const message of messages.values()) sender.schedule(message)
  for (const fault of plan.faults) faults.schedule(fault)
  world.schedule(quietMs, () => faults.endAll())
  return { server, store, database, fleet, sender }
}

/** Runs the work. An unhandled rejection would end a real process, so it violates an invariant. */
async function withoutUnhandledRejections(
  world: World,
  { violations }: HistoryRecord,
  work: () => Promise<void>,
): Promise<void> {
  const onUnhandled = (error: unknown) => {
    violations.push({ invariant: 'no unhandled rejection', atMs: world.nowMs, detail: `${error}` })
  }
  process.on('unhandledRejection', onUnhandled)
  await work()
  // Node reports the rejections of a turn of its event loop after that turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', onUnhandled)
}

function check(circumstances: Circumstances, quietMs: number, endMs: number, database: Database): Findings {
  const findings = new Findings(causesIn[circumstances.plan.profile])
  repliesByDeadline(circumstances, endMs, findings)
  repliesFromTable(circumstances, endMs, findings)
  effectBeforeReply(circumstances, endMs, findings)
  refusedForReason(circumstances, endMs, findings)
  oneAtATime(circumstances, endMs, findings)
  completedOnce(circumstances, endMs, findings)
  newestWins(circumstances, endMs, findings, database)
  nothingStuck(circumstances, quietMs, findings)
  return findings
}

/** The time at which all faults have ended, and all messages have been sent once. */
function endOfFaults({ messages, faults }: Plan): number {
  const ends = faults.map((fault) => {
    const lastsMs = 'forMs' in fault ? Math.min(fault.forMs, longestFaultMs) : 0
    return fault.atMs + lastsMs + (fault.what === 'close' ? longestCloseMs : 0)
  })
  return Math.max(...messages.map(({ atMs }) => atMs), ...ends) + 1000
}

/** The time after which even a handler that hangs has been given up, and its claim has lapsed. */
function longestHandlerMs({ options: { handlerTimeoutSeconds, leaseSeconds } }: Plan): number {
  return (2 * handlerTimeoutSeconds + 2 * leaseSeconds + 150) * 1000
}

function openStore(plan: Plan, server: Server, onRecorded: OnRecorded): SimulatedStore {
  switch (plan.kind) {
    case 'atomic':
      return new AtomicStore(server, onRecorded, plan.releasesLater)
    case 'compare-and-set':
      return new CompareAndSetStore(server, onRecorded, plan.options.storeTimeoutSeconds)
    case 'keyv':
    case 'shared-keyv':
      return new KeyvStore(server, onRecorded, plan.keyvStyle)
    case 'memory':
      return new MemoryStore(onRecorded)
  }
}
