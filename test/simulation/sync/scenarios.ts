import { noFaults } from '../stores/server.ts'
import type { SyncPlan } from './plan.ts'
import type { Change, ChangePlan } from './plan-changes.ts'

/** A fixed history of a situation in which an earlier version of the sync, or of its simulation, failed. */
export interface Scenario {
  plan: SyncPlan
  /** The occurrences that the history must contain, by the names of the tally. */
  occurs: readonly string[]
  /** The documented causes that must explain something. */
  causes?: readonly string[]
  /** The number of deletions by the sync. */
  deletions?: number
}

/** One process and one directory. Every pass is full, and nothing fails. */
const calm: SyncPlan = {
  seed: 1,
  flavour: 'fair',
  processes: 1,
  isGuarded: true,
  organizations: 1,
  directories: 1,
  people: 0,
  groups: 0,
  rows: { exist: 1, knowDirectory: 1, knowTime: 1 },
  churnMs: 1_200_000,
  changes: [],
  faults: [],
  network: { ...noFaults, slowAtMostMs: 300 },
  clockOffsetsMs: { processes: [0, 0, 0], store: 0, sender: 0 },
  sender: { copies: 0, refused: 0, lostReplies: 0, slowBodies: 0 },
  webhookDelayMs: 300,
  sync: { everySeconds: 80, fullEverySeconds: 1, leaseSeconds: 60, deletions: {} },
  known: {
    users: true,
    groups: true,
    yieldsDirectory: true,
    yieldsTime: true,
    yieldsGroups: true,
    yieldsOwn: false,
    ownUsers: 0,
    isLive: false,
  },
  api: {
    pageSize: 30,
    latencyMs: 5,
    failures: 0,
    order: 'oldest first',
    hasWholeSeconds: false,
    touchesMembers: true,
    changes: 0,
  },
  handlerFailures: 0,
  approves: 0,
}

const dir1 = { directoryId: 'dir_1' }
const lost = { isLost: true }
const withoutDirectories = { ...calm.known, yieldsDirectory: false }

function change(seconds: number, what: Change, more: Partial<ChangePlan> = {}): ChangePlan {
  return { atMs: seconds * 1000, what, isLost: false, seed: 1, ...more }
}

/** Twenty users leave without a webhook, one a minute. Twelve seconds later, each is back, with a webhook. */
const returns = Array.from({ length: 20 }, (_, index) => {
  const memberId = `diruser_${index + 1}`
  const seconds = 100 + index * 60
  return [change(seconds, 'leave', { memberId, ...lost }), change(seconds + 12, 'return', { memberId })]
})

export const scenarios: Readonly<Record<string, Scenario>> = {
  'a user is held over the limit, and then the directory grows': {
    plan: {
      ...calm,
      people: 4,
      sync: { ...calm.sync, deletions: { maxShare: 0.2 } },
      changes: [change(313, 'leave', { memberId: 'diruser_1', ...lost }), change(500, 'join', lost)],
    },
    occurs: ['held as over-limit'],
    deletions: 0,
  },
  'a wrong filter hides everybody, and then the directory lists another user': {
    plan: {
      ...calm,
      changes: [
        change(204, 'join'),
        change(219, 'join', lost),
        change(444, 'leave', { memberId: 'diruser_1', ...lost }),
      ],
      faults: [{ what: 'hide', atMs: 251_000, forMs: 720_000, share: 1 }],
    },
    occurs: ['held as nothing-listed'],
    deletions: 0,
  },
  'an operator approves while the list of directories is incomplete': {
    plan: {
      ...calm,
      flavour: 'lies',
      people: 1,
      approves: 1,
      changes: [change(300, 'connect')],
      faults: [{ what: 'leave-out', atMs: 500_000, forMs: 1_360_000, ...dir1 }],
    },
    occurs: ['held as directory-removed', 'approvals'],
    causes: ['nobody in a directory is deleted: approved by mistake'],
  },
  'a new process reads an incomplete list of directories, and a row has no directory': {
    plan: {
      ...calm,
      processes: 2,
      directories: 2,
      people: 3,
      sync: { ...calm.sync, everySeconds: 600, fullEverySeconds: 3600 },
      changes: [change(130, 'join', dir1)],
      faults: [
        { what: 'crash', atMs: 430_000, forMs: 15_000, process: 0, moment: 'any' },
        { what: 'leave-out', atMs: 440_000, forMs: 118_000, ...dir1 },
      ],
    },
    occurs: ['held as directory-removed', 'held as several-directories'],
    deletions: 0,
  },
  'the list of directories is incomplete, and `known` yields no directories': {
    plan: {
      ...calm,
      directories: 2,
      people: 3,
      known: withoutDirectories,
      faults: [{ what: 'leave-out', atMs: 600_000, forMs: 900_000, ...dir1 }],
    },
    occurs: ['held as several-directories'],
    deletions: 0,
  },
  'a user moves to a directory that the list of directories leaves out': {
    plan: {
      ...calm,
      flavour: 'lies',
      directories: 2,
      people: 3,
      changes: [change(300, 'move', { memberId: 'diruser_2', ...dir1, ...lost })],
      faults: [{ what: 'leave-out', atMs: 250_000, forMs: 300_000, ...dir1 }],
    },
    occurs: ['change move'],
    causes: ['nobody in a directory is deleted: moved to an unread directory'],
    deletions: 1,
  },
  'a user moves to a directory that has just been connected': {
    plan: {
      ...calm,
      people: 4,
      known: withoutDirectories,
      sync: { ...calm.sync, everySeconds: 400 },
      changes: [change(450, 'connect'), change(700, 'move', { memberId: 'diruser_4', directoryId: 'dir_2' })],
    },
    occurs: ['change move', 'records repeated'],
    deletions: 0,
  },
  'users come back soon after the sync has deleted them, and the clocks differ': {
    plan: {
      ...calm,
      people: 20,
      clockOffsetsMs: { processes: [14_000], store: 14_000, sender: -14_000 },
      sync: { ...calm.sync, everySeconds: 20, deletions: { maxCount: 100 } },
      changes: returns.flat(),
    },
    occurs: ['deletions'],
  },
  'a user moves, the API is away, and a process crashes': {
    plan: {
      ...calm,
      processes: 3,
      directories: 2,
      people: 15,
      rows: { exist: 0.8, knowDirectory: 0.8, knowTime: 1 },
      changes: [change(256, 'move', { memberId: 'diruser_9' })],
      faults: [
        { what: 'api-down', atMs: 380_000, forMs: 150_000 },
        { what: 'crash', atMs: 614_000, forMs: 13_600, process: 2, moment: 'carried out' },
      ],
    },
    occurs: ['change move', 'pass incomplete'],
    deletions: 0,
  },
  'late webhooks tell of users whose directory was removed': {
    plan: {
      ...calm,
      directories: 2,
      sender: { ...calm.sender, refused: 0.9 },
      changes: [
        ...[100, 101, 102, 103, 104].map((seconds) => change(seconds, 'join', { directoryId: 'dir_2' })),
        change(594, 'remove', { directoryId: 'dir_2' }),
      ],
    },
    occurs: ['webhook stale', 'held as directory-removed'],
    deletions: 0,
  },
}
