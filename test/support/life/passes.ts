import { setTimeout as sleep } from 'node:timers/promises'
import type { RunOptions, SyncReport } from '@scalekit-scim/core/sync'
import type { ApplicationProcess } from './application-process.ts'
import type { RecordHistory } from './record-history.ts'

/** Runs the application's passes, and approves held deletions. */
export class Passes {
  readonly #application: ApplicationProcess
  readonly #recordHistory: RecordHistory
  readonly #afterEach: () => void
  #underWay: Promise<unknown> | undefined
  count = 0

  constructor(application: ApplicationProcess, recordHistory: RecordHistory, afterEach: () => void) {
    this.#application = application
    this.#recordHistory = recordHistory
    this.#afterEach = afterEach
  }

  get areUnderWay(): boolean {
    return this.#underWay !== undefined
  }

  /** Begins a pass without waiting for its end. If a pass is running, does nothing. */
  begin(run: RunOptions): void {
    if (this.#underWay) return
    this.#underWay = this.#runAndApprove(run).finally(() => {
      this.#underWay = undefined
    })
  }

  async ended(): Promise<void> {
    await this.#underWay
  }

  async lastTwo(): Promise<void> {
    for (let pass = 0; pass < 2; pass++) await this.#last()
  }

  /** Runs a complete pass. The lease of another pass may have to expire first. */
  async #last(): Promise<void> {
    let report: SyncReport | undefined
    for (let tries = 0; tries < 20; tries++) {
      report = await this.#runAndApprove({ mode: 'full' })
      if (report?.outcome === 'complete') return
      await sleep(500)
    }
    throw new Error(`no last pass came to its end: ${report ? told(report) : 'the application died'}`)
  }

  async #runAndApprove(run: RunOptions): Promise<SyncReport | undefined> {
    const report = await this.#run(run)
    const approve = report?.organizations
      .flatMap(({ directories }) => directories)
      .flatMap(({ held }) => held.flatMap(({ approval }) => approval ?? []))
    return approve && approve.length > 0 ? this.#run({ approve }) : report
  }

  async #run(run: RunOptions): Promise<SyncReport | undefined> {
    const asked = run.approve ? 'an approved pass' : `a pass (${run.mode})`
    this.#recordHistory.note(`${asked} begins`)
    const report = await this.#application.pass(run)
    this.count++
    this.#recordHistory.note(report ? `${asked} has ended: ${told(report)}` : `${asked} died`)
    this.#afterEach()
    return report
  }
}

function told({ outcome, error, organizations, totals: { users, groups } }: SyncReport): string {
  const counted = (counts: typeof users) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  const errors = [{ error }, ...organizations, ...organizations.flatMap(({ directories }) => directories)]
    .flatMap(({ error }) => error ?? [])
    .map(({ name, code }) => `; ${name} ${code ?? ''}`)
  return `${outcome}; users ${counted(users)}; groups ${counted(groups)}${errors.join('')}`
}
