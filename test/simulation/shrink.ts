import type { Plan } from './plan.ts'
import { noFaults } from './stores/server.ts'

/** Leaves out of a plan everything that its failure does not need. */
export async function shrink(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let smallest = plan
  const attempt = async (simplify: (copy: Plan) => void): Promise<boolean> => {
    const copy = structuredClone(smallest)
    simplify(copy)
    if (isEqual(copy, smallest) || !(await fails(copy))) return false
    smallest = copy
    return true
  }
  for (;;) {
    const before = smallest
    await leaveOut('messages', () => smallest, attempt)
    await leaveOut('faults', () => smallest, attempt)
    for (const simplify of simplifications) await attempt(simplify)
    for (const { id } of smallest.messages) {
      await attempt((copy) => {
        for (const message of copy.messages) if (message.id === id) message.isTame = true
      })
    }
    while (smallest.processes > 1 && (await attempt(removeLastProcess))) {}
    if (smallest === before) return smallest
  }
}

/** Tries to leave out large parts of a list first, and then smaller parts. */
async function leaveOut(
  list: 'messages' | 'faults',
  plan: () => Plan,
  attempt: (simplify: (copy: Plan) => void) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(plan()[list].length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let index = 0; index < plan()[list].length; ) {
      if (plan()[list].length <= size && list === 'messages') return
      if (!(await attempt((copy) => void copy[list].splice(index, size)))) index += size
    }
  }
}

const simplifications: ((copy: Plan) => void)[] = [
  ({ sender }) => Object.assign(sender, { copies: 0 }),
  ({ sender }) => Object.assign(sender, { refused: 0 }),
  ({ sender }) => Object.assign(sender, { lostReplies: 0 }),
  ({ sender }) => Object.assign(sender, { slowBodies: 0 }),
  ({ network }) => Object.assign(network, noFaults),
  ({ network }) => Object.assign(network, { lostRequests: 0 }),
  ({ network }) => Object.assign(network, { lostAnswers: 0 }),
  ({ network }) => Object.assign(network, { late: 0 }),
  ({ application }) => Object.assign(application, { wild: 0 }),
  ({ application }) => Object.assign(application, { heeding: 1 }),
  ({ application }) => Object.assign(application, { handlesAll: false }),
  ({ application }) => Object.assign(application, { handlesDeactivated: false }),
  ({ application }) => Object.assign(application, { resolvesSecret: false }),
  ({ clockOffsetsMs }) =>
    Object.assign(clockOffsetsMs, { processes: clockOffsetsMs.processes.map(() => 0), store: 0, sender: 0 }),
  ({ options }) => Object.assign(options, { leaseSeconds: 12, storeTimeoutSeconds: 2 }),
  ({ options }) => Object.assign(options, { deadlineSeconds: 9, handlerTimeoutSeconds: 600 }),
]

function removeLastProcess(copy: Plan): void {
  copy.processes--
  for (const fault of copy.faults) {
    if ('process' in fault) fault.process = Math.min(fault.process, copy.processes - 1)
  }
}

function isEqual(one: Plan, other: Plan): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
