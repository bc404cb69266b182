import type { Chance } from './chance.ts'
import type { Limits } from './limits-watch.ts'

/** The kind of a history. Most histories have few kinds of faults, so that each fault also occurs alone. */
export interface HistorySettings {
  /** Whether processes share the ledger, so that its data outlasts a process. */
  isShared: boolean
  hasGroups: boolean
  organizations: number
  directories: number
  /** The number of users in each directory at the start. */
  people: number
  /** An empty object means the defaults. */
  limits: Partial<Limits>
  /** Whether the rows have their directories at the start. */
  rowsKnowDirectory: boolean
  passes: number
  /** The usual time between two passes. */
  hoursBetween: number
  /** The largest number of changes between two passes. */
  churn: number
  /** The share of changes with a lost webhook, and the share with a late webhook. */
  lostWebhooks: number
  lateWebhooks: number
  /** The probability of each situation in a pass. */
  exodus: number
  structure: number
  midPass: number
  mistakes: number
  wrongFilter: number
  shortList: number
  crashes: number
  storeTrouble: number
  losses: number
  apiErrors: number
  failingHandlers: number
  dryRuns: number
  /** The probability that the operator approves a batch. */
  approves: number
}

const limitOptions: Partial<Limits>[] = [
  {},
  { maxCount: 2 },
  { maxCount: 3, maxShare: 0.1 },
  { maxShare: 0.2 },
]

/** The settings of a history without faults. */
export const calm: HistorySettings = {
  isShared: true,
  hasGroups: false,
  organizations: 1,
  directories: 1,
  people: 0,
  limits: {},
  rowsKnowDirectory: true,
  passes: 0,
  hoursBetween: 24,
  churn: 0,
  lostWebhooks: 1,
  lateWebhooks: 0,
  exodus: 0,
  structure: 0,
  midPass: 0,
  mistakes: 0,
  wrongFilter: 0,
  shortList: 0,
  crashes: 0,
  storeTrouble: 0,
  losses: 0,
  apiErrors: 0,
  failingHandlers: 0,
  dryRuns: 0,
  approves: 0,
}

export function settingsOf(chance: Chance): HistorySettings {
  return chance.happens(0.1) ? draining(chance) : troubled(chance)
}

/** In each pass, users leave without webhooks and without other faults. */
function draining(chance: Chance): HistorySettings {
  return {
    ...calm,
    isShared: chance.happens(0.8),
    people: chance.between(20, 60),
    limits: chance.pick(limitOptions),
    passes: chance.between(8, 16),
    hoursBetween: chance.spread(2, 60),
    churn: chance.between(3, 10),
  }
}

function troubled(chance: Chance): HistorySettings {
  const rarely = (probability: number) => (chance.happens(0.35) ? probability : 0)
  return {
    isShared: chance.happens(0.8),
    hasGroups: chance.happens(0.3),
    organizations: chance.happens(0.3) ? 2 : 1,
    directories: chance.happens(0.35) ? 2 : 1,
    people: Math.round(chance.spread(4, 50)),
    limits: chance.pick(limitOptions),
    rowsKnowDirectory: chance.happens(0.7),
    passes: chance.between(4, 8),
    hoursBetween: chance.spread(1, 24 * 12),
    churn: chance.between(1, 5),
    lostWebhooks: chance.pick([0.2, 0.7, 1]),
    lateWebhooks: chance.pick([0, 0.3]),
    exodus: chance.pick([0, 0.1, 0.2]),
    structure: rarely(0.3),
    midPass: rarely(0.5),
    mistakes: rarely(0.4),
    wrongFilter: rarely(0.3),
    shortList: rarely(0.4),
    crashes: rarely(0.4),
    storeTrouble: rarely(0.3),
    losses: rarely(0.15),
    apiErrors: rarely(0.05),
    failingHandlers: rarely(0.5),
    dryRuns: rarely(0.4),
    approves: chance.pick([0, 0.3, 0.6]),
  }
}
