import type { Profile, StoreKind } from './kinds.ts'
import { type FaultPlan, planFaults } from './plan-faults.ts'
import { type MessagePlan, planMessages, type ResourceKind } from './plan-messages.ts'
import type { KeyvStyle } from './stores/keyv-store.ts'
import { type NetworkFaults, noFaults } from './stores/server.ts'
import { Stream, seedOf } from './stream.ts'

/** Everything that a history consists of, as JSON. The shrinker leaves out parts of it. */
export interface Plan {
  seed: number
  kind: StoreKind
  profile: Profile
  processes: number
  /** Whether the application's rows have the database guard. */
  isGuarded: boolean
  options: {
    leaseSeconds: number
    storeTimeoutSeconds: number
    deadlineSeconds: number
    handlerTimeoutSeconds: number
  }
  releasesLater: boolean
  keyvStyle: KeyvStyle
  clockOffsetsMs: { processes: number[]; store: number; sender: number }
  network: NetworkFaults
  resources: ResourceKind[]
  messages: MessagePlan[]
  faults: FaultPlan[]
  sender: { copies: number; refused: number; lostReplies: number; slowBodies: number }
  application: {
    /** The share of messages whose handlers are very slow, hang or fail. */
    wild: number
    /** The share of handlers that stop when their signal aborts. */
    heeding: number
    handlesDeactivated: boolean
    handlesAll: boolean
    resolvesSecret: boolean
  }
}

export function planOf(seed: number, kind: StoreKind, profile: Profile): Plan {
  const random = new Stream(seedOf(seed, kind, profile))
  const isCalm = profile === 'calm'
  const processes =
    kind === 'keyv' || kind === 'memory' ? 1 : random.between(kind === 'shared-keyv' ? 2 : 1, 4)
  const windowMs = random.spread(3000, isCalm ? 120_000 : 900_000)
  const leaseSeconds = random.pick([12, 12, 12, 5, 2, 30])
  const storeTimeoutSeconds = Math.min(random.pick([2, 2, 1, 0.5]), leaseSeconds / 2)
  const clockOffsetMs = () => random.real(-15_000, 15_000)
  const first: ResourceKind = 'user'
  const more = random.between(0, 3)
  const resources = [first, ...Array.from({ length: more }, () => random.pick(resourceKinds))]
  const messages = planMessages(random.fork('messages'), resources, windowMs)
  return {
    seed,
    kind,
    profile,
    processes,
    isGuarded: random.happens(isCalm ? 0.3 : 0.7),
    options: {
      leaseSeconds,
      storeTimeoutSeconds,
      deadlineSeconds: random.pick([9, 9, 9, 5]),
      handlerTimeoutSeconds: random.pick([600, 600, 60, 20]),
    },
    releasesLater: random.happens(0.7),
    keyvStyle: random.pick(['throws', 'emits', 'silent']),
    clockOffsetsMs: {
      processes: Array.from({ length: processes }, clockOffsetMs),
      store: clockOffsetMs(),
      sender: clockOffsetMs(),
    },
    network: kind === 'memory' ? noFaults : networkOf(random, kind, isCalm, storeTimeoutSeconds),
    resources,
    messages,
    faults: planFaults(random.fork('faults'), { kind, profile, processes, windowMs, messages }),
    sender: {
      copies: random.pick([0, 0.1, 0.4]),
      refused: random.pick([0, 0.05, 0.2]),
      lostReplies: random.pick([0, 0.05, 0.2]),
      slowBodies: random.pick([0, 0.1]),
    },
    application: {
      wild: random.pick([0, 0.1, 0.4]),
      heeding: random.pick([0.2, 0.8, 1]),
      handlesDeactivated: random.happens(0.5),
      handlesAll: random.happens(0.2),
      resolvesSecret: random.happens(0.15),
    },
  }
}

const resourceKinds: readonly ResourceKind[] = ['user', 'user', 'group', 'directory']

/** In a calm history, late answers are still in time. */
function networkOf(
  random: Stream,
  kind: StoreKind,
  isCalm: boolean,
  storeTimeoutSeconds: number,
): NetworkFaults {
  const usual = { ...noFaults, slowAtMostMs: isCalm || kind === 'keyv' ? 50 : 300 }
  if (random.happens(0.5)) return usual
  if (isCalm) return { ...usual, late: random.pick([0.02, 0.1]), lateAtMostMs: storeTimeoutSeconds * 100 }
  return {
    ...usual,
    lostRequests: random.pick([0, 0.01, 0.03, 0.1]),
    lostAnswers: random.pick([0, 0.01, 0.03, 0.1]),
    late: random.pick([0, 0.02, 0.1]),
    lateAtMostMs: random.spread(500, 30_000),
  }
}
