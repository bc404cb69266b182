import type { Stream } from '../stream.ts'
import type { Flavour } from './flavours.ts'

/** One change at a customer. */
export interface ChangePlan {
  atMs: number
  what: Change
  /** Whether its webhooks are lost. */
  isLost: boolean
  /** Chooses the member and the directory, if the plan does not name them. */
  seed: number
  /** The member. Without it, the seed chooses. */
  memberId?: string
  /** The directory that the member moves to, or that changes. Without it, the seed chooses. */
  directoryId?: string
}

export type Change = (typeof usual)[number] | (typeof rare)[number] | 'own-user'

const usual = [
  'join',
  'leave',
  'return',
  'rename',
  'deactivate',
  'activate',
  'regroup',
  'group-joins',
  'group-leaves',
] as const
/** Changes of several users, or of directories. */
const rare = ['succeed', 'move', 'connect', 'remove', 'disable', 'enable', 'exodus', 'replace'] as const
const often = ['join', 'leave', 'leave', 'rename', ...usual] as const
const whileRead = [
  'rename',
  'rename',
  'deactivate',
  'activate',
  'regroup',
  'leave',
  'return',
  'join',
  'succeed',
  'succeed',
] as const

export function planChanges(random: Stream, flavour: Flavour, churnMs: number): ChangePlan[] {
  const count = Math.round(random.spread(2, 40))
  if (flavour === 'rejoin') return planReturns(random, count, churnMs)
  const lostShare = random.pick([0.1, 0.4, 0.9, 1])
  const changes = Array.from({ length: count }, (): ChangePlan => {
    const isRare = random.happens(0.12)
    return {
      atMs: random.real(1000, churnMs),
      what: isRare ? random.pick(flavour === 'misuse' ? [...rare, 'own-user'] : rare) : random.pick(often),
      isLost: random.happens(lostShare),
      seed: random.below(2 ** 32),
    }
  })
  // Some changes follow each other closely: between two pages, or while an event is on its way.
  for (const change of changes) {
    if (random.happens(0.5)) change.atMs = random.pick(changes).atMs + random.spread(10, 30_000)
  }
  return sorted(changes)
}

/** Users leave and come back, between the walks of a pass or soon after it. */
function planReturns(random: Stream, count: number, churnMs: number): ChangePlan[] {
  const changes = Array.from({ length: count }, (): ChangePlan[] => {
    const atMs = random.real(1000, churnMs)
    const first = random.pick(['leave', 'leave', 'rename', 'deactivate', 'regroup'] as const)
    const second = random.pick(['return', 'return', 'activate', 'rename'] as const)
    const change = (what: Change, lost: number) => ({
      atMs,
      what,
      isLost: random.happens(lost),
      seed: random.below(2 ** 32),
    })
    return [change(first, 0.7), { ...change(second, 0.2), atMs: atMs + random.spread(500, 90_000) }]
  })
  return sorted(changes.flat())
}

/** A change while a page is on its way, often of a user on this page. */
export function changeNow(random: Stream, ids: readonly string[]): ChangePlan {
  const what = random.pick(whileRead)
  const isOfPage = ids.length > 0 && what !== 'return' && random.happens(0.5)
  return {
    atMs: 0,
    what,
    isLost: random.happens(0.3),
    seed: random.below(2 ** 32),
    ...(isOfPage ? { memberId: random.pick(ids) } : {}),
  }
}

function sorted(changes: ChangePlan[]): ChangePlan[] {
  return changes.sort((a, b) => a.atMs - b.atMs)
}
