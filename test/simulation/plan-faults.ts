import type { Interruption } from './common-faults.ts'
import type { Profile, StoreKind } from './kinds.ts'
import type { MessagePlan } from './plan-messages.ts'
import type { NetworkFaults } from './stores/server.ts'
import type { Stream } from './stream.ts'

interface FaultOfProcess {
  atMs: number
  /** The index of the process. */
  process: number
}

export interface ClosePlan extends FaultOfProcess {
  what: 'close'
  graceSeconds: number
  /** How long no new process runs in this place. */
  forMs: number
  /** Whether the new process starts while the old one closes. */
  isReplacedFirst: boolean
  /** Whether the old process continues to run after `close()`. */
  lingers: boolean
}

export type FaultPlan =
  | Interruption
  | ClosePlan
  | (FaultOfProcess & { what: 'set-clock'; byMs: number })
  | (FaultOfProcess & { what: 'forget'; messageId: string; forgets: 'message' | 'resource' })
  | { what: 'freeze'; atMs: number; forMs: number; droppedShare: number }
  | { what: 'shut-down'; atMs: number; forMs: number }
  | { what: 'flaky'; atMs: number; forMs: number; network: NetworkFaults }
  /** `windowMs`: how much of the last changes is lost. Without it, everything is lost. */
  | { what: 'lose'; atMs: number; windowMs?: number }

interface Setting {
  kind: StoreKind
  profile: Profile
  processes: number
  windowMs: number
  messages: MessagePlan[]
}

export function planFaults(random: Stream, setting: Setting): FaultPlan[] {
  const { kind, profile } = setting
  const isStorm = profile === 'storm'
  const faults: FaultPlan[] = []
  const add = (count: number, plan: () => FaultPlan) => {
    for (let left = count; left > 0; left--) faults.push(plan())
  }
  const plans = faultPlans(random, setting)
  const hasServer = kind !== 'memory'
  if ((isStorm || profile === 'outage') && hasServer) add(random.between(0, 3), plans.trouble)
  if (isStorm) {
    add(random.between(0, 3), plans.crash)
    add(random.between(0, 3), plans.pause)
    if (hasServer) add(random.between(-1, 2), plans.lose)
    if (random.happens(0.15)) add(1, plans.forget)
    if (random.happens(0.3)) add(1, plans.setClock)
  }
  if (profile === 'deploy' || (isStorm && random.happens(0.3))) add(random.between(1, 3), plans.close)
  if (profile === 'deploy' && hasServer && random.happens(0.3)) add(1, plans.trouble)
  return faults.sort((a, b) => a.atMs - b.atMs)
}

function faultPlans(random: Stream, { kind, processes, windowMs, messages }: Setting) {
  // Most of the time, nothing runs that a fault could interrupt. So half of the faults come soon after an attempt.
  const atMs = () =>
    random.happens(0.5) ? random.pick(messages).atMs + random.spread(1, 5000) : random.real(0, windowMs * 1.1)
  const place = () => ({ atMs: atMs(), process: random.below(processes) })
  // A second process on a store that only one process may use is a fault of its own: 'shared-keyv'.
  const isShareable = kind !== 'keyv' && kind !== 'memory'
  const moment = () => (kind === 'memory' ? 'any' : random.pick(['any', 'sent', 'carried out'] as const))
  const flaky = (): NetworkFaults => {
    const share = random.next()
    return {
      lostRequests: share * 0.5,
      lostAnswers: share * 0.3,
      late: 0.2,
      lateAtMostMs: 20_000,
      slowAtMostMs: 300,
    }
  }
  return {
    trouble: (): FaultPlan => {
      const base = { atMs: atMs(), forMs: random.spread(500, 180_000) }
      const what = random.pick(['freeze', 'shut-down', 'flaky'] as const)
      if (what === 'freeze') return { what, ...base, droppedShare: random.next() }
      return what === 'shut-down' ? { what, ...base } : { what, ...base, network: flaky() }
    },
    crash: (): FaultPlan => ({
      what: 'crash',
      ...place(),
      forMs: random.spread(200, 120_000),
      moment: moment(),
    }),
    pause: (): FaultPlan => ({
      what: 'pause',
      ...place(),
      forMs: random.spread(200, 90_000),
      moment: moment(),
    }),
    lose: (): FaultPlan =>
      random.happens(0.5)
        ? { what: 'lose', atMs: atMs() }
        : { what: 'lose', atMs: atMs(), windowMs: random.spread(100, 20_000) },
    forget: (): FaultPlan => ({
      what: 'forget',
      ...place(),
      messageId: random.pick(messages).id,
      forgets: random.pick(['message', 'resource']),
    }),
    setClock: (): FaultPlan => ({ what: 'set-clock', ...place(), byMs: random.real(-20_000, 20_000) }),
    close: (): FaultPlan => ({
      what: 'close',
      ...place(),
      graceSeconds: random.pick([0, 10, 10, random.real(0, 20)]),
      forMs: random.spread(100, 20_000),
      isReplacedFirst: isShareable && random.happens(0.5),
      lingers: isShareable && random.happens(0.3),
    }),
  }
}
