import type { SyncReport } from '@scalekit-scim/core/sync'
import { noMistakes } from './accounts.ts'
import { Chance } from './chance.ts'
import { FaultPlan } from './fault-plan.ts'
import { leftovers, unsettled } from './leftovers.ts'
import { approvalsIn, Operator } from './operator.ts'
import { populate } from './population.ts'
import { type HistorySettings, settingsOf } from './settings.ts'
import { Stage, type StagedPass } from './stage.ts'

export interface HistoryOutcome {
  seed: number
  violations: readonly string[]
  story: readonly string[]
  deletions: number
  stateWrites: number
  held: Readonly<Record<string, number>>
  crashes: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Runs a history of several passes. The same seed gives the same history. */
export async function runHistory(seed: number): Promise<HistoryOutcome> {
  const random = Math.random
  const jitter = new Chance(seed)
  Math.random = () => jitter.next()
  try {
    return await new History(seed).run()
  } finally {
    Math.random = random
  }
}

/** Returns whether no fault disturbs the pass. */
function isCalm({ crash, trouble, changes, apiErrors }: StagedPass): boolean {
  return !crash && !trouble && !changes && !apiErrors
}

class History {
  readonly #seed: number
  readonly #chance: Chance
  readonly #settings: HistorySettings
  readonly #stage: Stage
  readonly #operator: Operator
  readonly #faultPlan: FaultPlan
  readonly #held: Record<string, number> = {}

  constructor(seed: number) {
    this.#seed = seed
    this.#chance = new Chance(seed * 7919)
    this.#settings = settingsOf(this.#chance)
    this.#stage = new Stage(this.#settings, this.#chance)
    this.#operator = new Operator(this.#chance, this.#stage.story, this.#settings.approves)
    this.#faultPlan = new FaultPlan(this.#stage, this.#settings, this.#chance)
    this.#stage.story.tell(`seed ${seed}: ${JSON.stringify(this.#settings)}`)
  }

  async run(): Promise<HistoryOutcome> {
    const { story } = this.#stage
    populate(this.#stage, this.#settings, this.#chance)
    for (let pass = 0; pass < this.#settings.passes; pass++) await this.#step()
    await this.#recover()
    return {
      seed: this.#seed,
      violations: story.violations,
      story: story.lines,
      deletions: this.#stage.deletions,
      stateWrites: this.#stage.stateWrites,
      held: this.#held,
      crashes: this.#stage.crashes,
    }
  }

  /** Runs one step of the history: some time, some changes, some faults, and a pass. */
  async #step(): Promise<void> {
    const { changes, accounts } = this.#stage
    const { churn, exodus, structure } = this.#settings
    for (let count = this.#chance.below(churn + 1); count > 0; count--) changes.one()
    if (this.#chance.happens(exodus)) changes.exodus()
    if (this.#chance.happens(structure)) changes.structure()
    this.#faultPlan.lie()
    await this.#faultPlan.lose()
    await this.#stage.wait(this.#gapMs())
    accounts.mistakes = this.#faultPlan.mistakes()
    const isTried = this.#chance.happens(this.#settings.dryRuns)
    const dry = isTried ? await this.#stage.pass({ mode: 'full', dryRun: true }) : undefined
    this.#read(dry)
    const plan = this.#plan()
    const report = await this.#stage.pass(plan)
    this.#read(report)
    const isKnownRight = accounts.mistakes === noMistakes
    if (dry && report && isKnownRight && isCalm(plan)) this.#requireUsed(plan.approve, dry, report)
  }

  /** If nothing changes after a dry run, the next pass accepts its approvals. */
  #requireUsed(given: readonly string[] = [], dry: SyncReport, report: SyncReport): void {
    if (dry.outcome !== 'complete' || report.outcome !== 'complete') return
    const { story } = this.#stage
    const asked = approvalsIn(dry).filter((approval) => given.includes(approval))
    for (const approval of asked.filter((one) => report.unusedApprovals.includes(one))) {
      story.accuse(`${story.nameOf(approval)} of the dry run is not used by the pass after it`)
    }
  }

  #gapMs(): number {
    if (this.#chance.happens(0.02)) return this.#chance.between(80, 120) * dayMs
    if (this.#chance.happens(0.2)) return this.#chance.spread(2 * 60_000, hourMs)
    return this.#settings.hoursBetween * hourMs * (0.5 + this.#chance.next())
  }

  #plan(): StagedPass {
    const chance = this.#chance
    return {
      mode: chance.happens(0.3) ? 'full' : chance.happens(0.1) ? 'incremental' : 'auto',
      approve: this.#operator.approve(this.#stage.time.nowMs),
      changes: chance.happens(this.#settings.midPass) ? 0.3 : 0,
      ...this.#faultPlan.ofPass(),
    }
  }

  #read(report: SyncReport | undefined): void {
    if (!report) return
    this.#operator.read(report, this.#stage.time.nowMs)
    for (const { held } of report.organizations.flatMap(({ directories }) => directories)) {
      for (const { reason, count } of held) this.#held[reason] = (this.#held[reason] ?? 0) + count
    }
  }

  /**
   * Ends the faults. Then two full passes must delete or hold every missing record. Two more passes must delete the
   * approved records.
   */
  async #recover(): Promise<void> {
    const { environment, story, accounts, webhooks } = this.#stage
    story.tell('from here on nothing fails')
    environment.tellTheTruth()
    accounts.mistakes = noMistakes
    webhooks.hurry()
    // An id of two organizations prevents deletions in both. If one organization is not read again, this lasts for 30
    // days.
    const { organizations, mistakes } = this.#settings
    await this.#stage.wait(organizations > 1 && mistakes > 0 ? 31 * dayMs : hourMs)
    await this.#fullPass()
    const report = await this.#fullPass()
    for (const problem of unsettled(this.#stage, report)) story.accuse(problem)
    await this.#fullPass(approvalsIn(report))
    await this.#fullPass()
    for (const problem of leftovers(this.#stage)) story.accuse(problem)
  }

  async #fullPass(approve: readonly string[] = []): Promise<SyncReport> {
    await this.#stage.wait(hourMs * this.#chance.spread(1, 48))
    const report = await this.#stage.pass({ mode: 'full', approve })
    if (!report) throw new Error('a pass without faults has crashed')
    this.#read(report)
    if (report.outcome !== 'complete') this.#stage.story.accuse(`a pass without faults is ${report.outcome}`)
    return report
  }
}
