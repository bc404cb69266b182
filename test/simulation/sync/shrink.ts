import { noFaults } from '../stores/server.ts'
import type { SyncPlan } from './plan.ts'

/** Leaves out of a plan everything that its failure does not need. */
export async function shrinkSync(
  plan: SyncPlan,
  fails: (plan: SyncPlan) => Promise<boolean>,
): Promise<SyncPlan> {
  let smallest = plan
  const attempt = async (simplify: (copy: SyncPlan) => void): Promise<boolean> => {
    const copy = structuredClone(smallest)
    simplify(copy)
    if (JSON.stringify(copy) === JSON.stringify(smallest) || !(await fails(copy))) return false
    smallest = copy
    return true
  }
  for (;;) {
    const before = smallest
    for (const list of ['changes', 'faults'] as const) {
      for (let size = Math.ceil(smallest[list].length / 2); size >= 1; size = Math.floor(size / 2)) {
        for (let index = 0; index < smallest[list].length; ) {
          if (!(await attempt((copy) => void copy[list].splice(index, size)))) index += size
        }
      }
    }
    for (const simplify of simplifications) await attempt(simplify)
    for (const count of ['people', 'groups'] as const) {
      while (smallest[count] > 0 && (await attempt((copy) => void copy[count]--))) {}
    }
    while (smallest.processes > 1 && (await attempt(removeLastProcess))) {}
    if (smallest === before) return smallest
  }
}

const simplifications: ((copy: SyncPlan) => void)[] = [
  ({ sender }) => Object.assign(sender, { copies: 0, refused: 0, lostReplies: 0 }),
  ({ network }) => Object.assign(network, noFaults),
  ({ api }) => Object.assign(api, { failures: 0 }),
  ({ api }) => Object.assign(api, { changes: 0 }),
  ({ api }) => Object.assign(api, { pageSize: 30 }),
  ({ api }) => Object.assign(api, { order: 'oldest first' }),
  ({ api }) => Object.assign(api, { hasWholeSeconds: false }),
  ({ api }) => Object.assign(api, { touchesMembers: true }),
  ({ known }) => Object.assign(known, { ownUsers: 0, yieldsOwn: false }),
  ({ known }) => Object.assign(known, { yieldsDirectory: true }),
  ({ known }) => Object.assign(known, { yieldsTime: true, yieldsGroups: true, isLive: false }),
  ({ rows }) => Object.assign(rows, { exist: 1 }),
  ({ rows }) => Object.assign(rows, { knowDirectory: 1, knowTime: 1 }),
  (copy) => Object.assign(copy, { handlerFailures: 0 }),
  (copy) => Object.assign(copy, { approves: 0 }),
  (copy) => Object.assign(copy, { organizations: 1 }),
  (copy) => Object.assign(copy, { directories: 1 }),
  (copy) => Object.assign(copy, { isGuarded: true }),
  ({ clockOffsetsMs }) =>
    Object.assign(clockOffsetsMs, { processes: clockOffsetsMs.processes.map(() => 0), store: 0, sender: 0 }),
]

function removeLastProcess(copy: SyncPlan): void {
  copy.processes--
  for (const fault of copy.faults) {
    if ('process' in fault) fault.process = Math.min(fault.process, copy.processes - 1)
  }
}
