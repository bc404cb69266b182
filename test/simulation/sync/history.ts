import type { SyncReport } from '@scalekit-scim/core/sync'
import type { Findings } from '../findings.ts'
import { leftIn } from '../fleet.ts'
import type { HistoryRecord } from '../record.ts'
import { requireConvergence } from './convergence.ts'
import { withoutTurns } from './core-turns.ts'
import type { SyncCause } from './documented-causes.ts'
import type { SyncInstance } from './fleet.ts'
import type { SyncPlan } from './plan.ts'
import { type Stage, stageOf } from './stage.ts'

/** Longer than all attempts of a webhook. */
const longestHistoryMs = 60 * 3_600_000
/** A pass without faults takes less. */
const longestPassMs = 600_000
/** After `stop()`, a pass can still wait for a lost answer of the store: see `errorMs` of the server. */
const longestStopMs = 150_000
/** A full pass that begins this much after the last change has its state. See docs/sync/clocks.md. */
const settledMs = 100_000

export interface SyncHistoryOptions {
  isStrict?: boolean
  isTold?: boolean
}

export interface SyncHistoryResult {
  plan: SyncPlan
  findings: Findings<SyncCause>
  record: HistoryRecord
  reports: SyncReport[]
  deletions: number
  approvals: number
  /** How often a process ended during its pass, and how often a webhook was written during one. */
  crashesInPass: number
  webhooksInPass: number
  story: string[]
  virtualMs: number
  events: number
}

/** Runs the history of a plan, and checks the invariants. */
export function runSyncHistory(plan: SyncPlan, options: SyncHistoryOptions = {}): Promise<SyncHistoryResult> {
  return withoutTurns(() => new SyncHistory(stageOf(plan, options)).run())
}

class SyncHistory {
  readonly #stage: Stage

  constructor(stage: Stage) {
    this.#stage = stage
  }

  async run(): Promise<SyncHistoryResult> {
    const { world, plan, fleet, quietMs, webhooks } = this.#stage
    const { findings, record, reports, judge, operator, application } = this.#stage
    const onUnhandled = (error: unknown) => this.#violate('no unhandled rejection', `${error}`)
    process.on('unhandledRejection', onUnhandled)
    fleet.start()
    await world.run(quietMs)
    await this.#settle()
    webhooks.undone()
    await this.#converge()
    await this.#end()
    // A second turn of the real event loop reports the rejections of the last one.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', onUnhandled)

    findings.violations.push(...record.violations)
    for (const { invariant, atMs, detail } of findings.violations) {
      world.story.tell(() => `!!! ${invariant}: ${detail}`, atMs)
    }
    return {
      plan,
      findings,
      record,
      reports,
      deletions: judge.deletions,
      approvals: operator.approvals,
      crashesInPass: judge.crashes,
      webhooksInPass: application.writesInPass,
      story: world.story.lines,
      virtualMs: world.nowMs,
      events: world.events,
    }
  }

  /** The faults and the passes end, and all webhooks are answered. */
  async #settle(): Promise<void> {
    const { world, faults, accounts, fleet, judge, sender } = this.#stage
    faults.endAll()
    // Somebody has corrected the query.
    accounts.mistakes = { ...accounts.mistakes, yieldsOwn: false }
    await this.#stopAll()
    for (const { process } of fleet.running()) {
      if (judge.open.has(process)) this.#violate('a pass ends in time', `${process.name} still runs its pass`)
    }
    await world.run(longestHistoryMs, () => sender.open.size === 0)
    for (const { id } of sender.open) this.#violate('webhooks succeed at last', id)
    await world.run(world.nowMs + settledMs)
  }

  async #stopAll(): Promise<void> {
    const { world, fleet } = this.#stage
    for (const instance of fleet.running()) {
      world.schedule(0, () => void fleet.stop(instance), instance.process)
    }
    await world.run(world.nowMs + longestStopMs)
  }

  async #converge(): Promise<void> {
    const [instance] = this.#stage.fleet.running()
    if (!instance) throw new Error('no process runs')
    const last = (await this.#fullPass(instance)) && (await this.#fullPass(instance))
    if (last) requireConvergence(this.#stage, last)
  }

  async #fullPass({ sync, process }: SyncInstance): Promise<SyncReport | undefined> {
    const { world } = this.#stage
    let report: SyncReport | undefined
    const run = async () => {
      report = await sync.run({ mode: 'full' })
    }
    world.schedule(0, () => void run(), process)
    await world.run(world.nowMs + longestPassMs, () => report !== undefined)
    if (!report) this.#violate('a pass ends in time', `a full pass of ${process.name} without faults`)
    else if (report.outcome !== 'complete') {
      const { outcome, error, organizations } = report
      const errors = organizations.flatMap((one) => [one.error, ...one.directories.map((two) => two.error)])
      this.#violate('a pass without faults is complete', JSON.stringify([outcome, error, errors]))
    }
    await world.run(world.nowMs + settledMs)
    return report
  }

  async #end(): Promise<void> {
    await this.#stopAll()
    for (const instance of this.#stage.fleet.running()) {
      const left = leftIn(instance)
      if (left.length > 0) this.#violate('no leaks', `${instance.process.name} keeps ${left.join(', ')}`)
    }
    const claimed = this.#stage.store.claimed()
    if (claimed.length > 0) this.#violate('no leaks', `the store keeps claims: ${claimed.join(', ')}`)
  }

  #violate(invariant: string, detail: string): void {
    this.#stage.findings.violate(invariant, this.#stage.world.nowMs, detail)
  }
}
