import type { Limits } from '../../support/deletion-histories/limits-watch.ts'
import type { Plan } from '../plan.ts'
import { type NetworkFaults, noFaults } from '../stores/server.ts'
import { Stream, seedOf } from '../stream.ts'
import type { Flavour } from './flavours.ts'
import { type ChangePlan, planChanges } from './plan-changes.ts'
import { planFaults, type SyncFaultPlan } from './plan-faults.ts'

/** Everything that a history of the sync consists of, as JSON. The shrinker leaves out parts of it. */
export interface SyncPlan {
  seed: number
  flavour: Flavour
  processes: number
  /** Whether the application's rows have the database guard. */
  isGuarded: boolean
  organizations: number
  /** The directories of the first organization. */
  directories: number
  people: number
  groups: number
  /** The share of people whose row exists at the start, and of rows that know their directory or time. */
  rows: { exist: number; knowDirectory: number; knowTime: number }
  /** The time of the last planned change. */
  churnMs: number
  changes: ChangePlan[]
  faults: SyncFaultPlan[]
  network: NetworkFaults
  clockOffsetsMs: Plan['clockOffsetsMs']
  sender: Plan['sender']
  /** The longest time until the first attempt of a webhook. */
  webhookDelayMs: number
  sync: {
    everySeconds: number
    fullEverySeconds: number
    leaseSeconds: number
    deletions: Partial<Limits>
  }
  known: {
    users: boolean
    groups: boolean
    yieldsDirectory: boolean
    yieldsTime: boolean
    yieldsGroups: boolean
    yieldsOwn: boolean
    ownUsers: number
    /** Whether the rows are read while the query runs, instead of at its beginning. */
    isLive: boolean
  }
  api: {
    pageSize: number
    latencyMs: number
    /** The share of calls that fail, or whose answer is lost. */
    failures: number
    order: 'oldest first' | 'newest first' | 'last changed first'
    hasWholeSeconds: boolean
    /** Whether a change of memberships changes the time of the user. */
    touchesMembers: boolean
    /** The share of pages during which something changes. */
    changes: number
  }
  handlerFailures: number
  /** The share of held batches that somebody approves. */
  approves: number
}

export function planOf(seed: number, flavour: Flavour): SyncPlan {
  const random = new Stream(seedOf(seed, 'sync', flavour))
  const churnMs = random.spread(180_000, flavour === 'rejoin' ? 900_000 : 1_800_000)
  const processes = random.between(1, 3)
  const everySeconds = flavour === 'rejoin' ? random.spread(20, 120) : random.spread(40, 600)
  const isFullAlways = flavour === 'rejoin' || flavour === 'race'
  const clockOffsetMs = () => random.real(-14_500, 14_500)
  const isFlaky = flavour === 'storm' && random.happens(0.5)
  return {
    seed,
    flavour,
    processes,
    isGuarded: random.happens(0.8),
    organizations: random.happens(0.15) ? 2 : 1,
    directories: random.happens(0.3) ? 2 : 1,
    people: random.pick([random.between(0, 5), random.between(0, 25)]),
    groups: random.between(0, 5),
    rows: {
      exist: random.pick([0.8, 1]),
      knowDirectory: random.pick([0, 0.8, 1]),
      knowTime: random.pick([0.8, 1]),
    },
    churnMs,
    changes: planChanges(random.fork('changes'), flavour, churnMs),
    faults: planFaults(random.fork('faults'), flavour, processes, churnMs),
    network: {
      ...(isFlaky ? { lostRequests: 0.01, lostAnswers: 0.01, late: 0.02, lateAtMostMs: 5000 } : noFaults),
      slowAtMostMs: 300,
    },
    clockOffsetsMs: {
      processes: Array.from({ length: processes }, clockOffsetMs),
      store: clockOffsetMs(),
      sender: clockOffsetMs(),
    },
    sender: {
      copies: random.pick([0, 0.1]),
      refused: random.pick([0, 0.1, 0.5]),
      lostReplies: random.pick([0, 0.1]),
      slowBodies: 0,
    },
    webhookDelayMs: flavour === 'race' ? 300 : 5000,
    sync: {
      everySeconds,
      fullEverySeconds: isFullAlways ? 1 : random.pick([1, everySeconds * 2, everySeconds * 6]),
      leaseSeconds: random.pick([60, 60, 10]),
      deletions: random.pick([{}, {}, { maxCount: 2 }, { maxCount: 3, maxShare: 0.1 }, { maxShare: 0.2 }]),
    },
    known: knownOf(random, flavour),
    api: {
      pageSize: random.between(2, 10),
      latencyMs: flavour === 'race' ? random.spread(5, 300) : random.spread(5, 3000),
      failures: random.pick([0, 0.02, 0.1]),
      order: random.pick(['oldest first', 'newest first', 'last changed first']),
      hasWholeSeconds: random.happens(0.4),
      touchesMembers: random.happens(0.5),
      changes: flavour === 'race' ? 0.25 : 0,
    },
    handlerFailures: random.pick([0, 0.05, 0.2]),
    approves: random.pick([0, 0.3]),
  }
}

function knownOf(random: Stream, flavour: Flavour): SyncPlan['known'] {
  const isMisuse = flavour === 'misuse'
  return {
    users: random.happens(0.95),
    groups: random.happens(0.8),
    yieldsDirectory: random.happens(0.75),
    yieldsTime: random.happens(0.9),
    yieldsGroups: random.happens(0.8),
    yieldsOwn: isMisuse,
    ownUsers: isMisuse ? random.between(1, 20) : random.between(0, 3),
    isLive: random.happens(0.5),
  }
}
