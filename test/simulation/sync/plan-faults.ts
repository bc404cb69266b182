import type { Interruption } from '../common-faults.ts'
import type { Stream } from '../stream.ts'
import type { Flavour } from './flavours.ts'

interface FaultOfProcess {
  atMs: number
  forMs: number
  /** The index of the process. */
  process: number
}

interface FaultOfServer {
  atMs: number
  forMs: number
}

export type SyncFaultPlan =
  | Interruption
  | (FaultOfProcess & { what: 'close' })
  | (FaultOfServer & { what: 'freeze'; droppedShare: number })
  | (FaultOfServer & { what: 'shut-down' | 'api-down' })
  /** `windowMs`: how much of the last changes is lost. Without it, everything is lost. */
  | { what: 'lose'; atMs: number; windowMs?: number }
  /** A wrong filter at the identity provider hides some users. */
  | (FaultOfServer & { what: 'hide'; share: number })
  /** Pages leave out some users, although the API announces all of them. */
  | (FaultOfServer & { what: 'omit'; share: number })
  /** The list of directories leaves one out. Without `directoryId`, the first one. */
  | (FaultOfServer & { what: 'leave-out'; directoryId?: string })

export function planFaults(
  random: Stream,
  flavour: Flavour,
  processes: number,
  churnMs: number,
): SyncFaultPlan[] {
  const faults: SyncFaultPlan[] = []
  const add = (count: number, plan: () => SyncFaultPlan) => {
    for (let left = count; left > 0; left--) faults.push(plan())
  }
  const lasting = (atMostMs: number) => ({
    atMs: random.real(0, churnMs),
    forMs: random.spread(500, atMostMs),
    process: random.below(processes),
  })
  const moment = () => random.pick(['any', 'sent', 'carried out', 'carried out'] as const)
  if (flavour === 'storm') {
    add(random.between(0, 3), () => ({ what: 'crash', ...lasting(120_000), moment: moment() }))
    add(random.between(0, 3), () => ({ what: 'pause', ...lasting(150_000), moment: moment() }))
    add(random.between(0, 2), () => ({ what: 'close', ...lasting(60_000) }))
    add(random.between(0, 2), () =>
      random.happens(0.5)
        ? { what: 'freeze', ...lasting(120_000), droppedShare: random.next() }
        : { what: 'shut-down', ...lasting(120_000) },
    )
    add(random.between(0, 2), () => ({ what: 'api-down', ...lasting(200_000) }))
    const atMs = random.real(0, churnMs)
    if (random.happens(0.3)) {
      add(1, () =>
        random.happens(0.5)
          ? { what: 'lose', atMs }
          : { what: 'lose', atMs, windowMs: random.spread(100, 60_000) },
      )
    }
  }
  if (flavour === 'lies') {
    add(random.between(1, 3), () => {
      const share = random.pick([0.05, 0.2, 0.5, 1])
      const what = random.pick(['hide', 'omit', 'leave-out'] as const)
      return { what, ...lasting(600_000), share }
    })
  }
  return faults.sort((a, b) => a.atMs - b.atMs)
}
