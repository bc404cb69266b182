import { type Mistakes, noMistakes } from './accounts.ts'
import { type CrashPoint, isOfDeletions, type StoreTrouble } from './app-process.ts'
import type { Chance } from './chance.ts'
import type { HistorySettings } from './settings.ts'
import type { Stage, StagedPass } from './stage.ts'

/** The faults of a history, with the probabilities of its settings. */
export class FaultPlan {
  readonly #stage: Stage
  readonly #settings: HistorySettings
  readonly #chance: Chance
  /** The ids whose handlers fail until the faults end. */
  readonly #failing = new Set<string>()
  #liesLeft = 0

  constructor(stage: Stage, settings: HistorySettings, chance: Chance) {
    this.#stage = stage
    this.#settings = settings
    this.#chance = chance
  }

  /** Returns the faults of one pass. */
  ofPass(): Partial<StagedPass> {
    const { crashes, storeTrouble, apiErrors } = this.#settings
    return {
      apiErrors,
      failing: this.#failures(),
      ...(this.#chance.happens(crashes) ? { crash: this.#crash() } : {}),
      ...(this.#chance.happens(storeTrouble) ? this.#storeTrouble() : {}),
    }
  }

  #crash(): CrashPoint {
    const place = this.#chance.pick(['store call', 'write of deletions', 'deletion', 'page'] as const)
    const point = place === 'page' ? 'before' : this.#chance.pick(['before', 'after'] as const)
    const nth = place === 'store call' ? Math.ceil(this.#chance.spread(1, 60)) : this.#chance.between(1, 6)
    return { place, nth, point }
  }

  #storeTrouble(): { trouble: StoreTrouble; stateIsAway?: boolean } {
    const chance = this.#chance
    const what = chance.pick(['flaky', 'unreadable', 'unwritable'] as const)
    this.#stage.story.tell(what === 'flaky' ? 'the store is flaky' : `records of deletions are ${what}`)
    if (what === 'flaky') {
      const share = chance.spread(0.01, 0.4)
      return { trouble: () => chance.happens(share) }
    }
    const isWrite = what === 'unwritable'
    return { trouble: (call) => isOfDeletions(call) && call.writes === isWrite, stateIsAway: true }
  }

  #failures(): ReadonlySet<string> {
    const chance = this.#chance
    if (!chance.happens(this.#settings.failingHandlers)) return this.#failing
    const ids = this.#stage.accounts.live().map(({ id }) => id)
    const failing = chance.sample(ids, Math.ceil(ids.length * chance.pick([0.05, 0.3, 1])))
    if (chance.happens(0.3)) for (const id of failing) this.#failing.add(id)
    return new Set([...failing, ...this.#failing])
  }

  /** Wrong filters and incomplete lists last for a few passes. */
  lie(): void {
    const { environment, story } = this.#stage
    if (this.#liesLeft > 0 && --this.#liesLeft === 0) {
      environment.tellTheTruth()
      story.tell('the API tells the truth again')
    }
    if (this.#chance.happens(this.#settings.wrongFilter)) {
      const share = this.#chance.pick([0.05, 0.2, 0.5, 1])
      environment.hide(share, this.#chance)
      const hidden = [...environment.members.values()].filter((one) => one.hidden && one.present)
      story.tell(`a wrong filter hides ${hidden.map(({ id }) => id).join(' ')}`)
      this.#liesLeft = this.#chance.between(1, 3)
    }
    if (this.#chance.happens(this.#settings.shortList)) {
      const directory = this.#chance.pick(environment.directories)
      directory.leftOut = true
      story.tell(`the list of directories leaves out ${directory.id}`)
      this.#liesLeft = this.#chance.between(1, 2)
    }
    environment.publish()
  }

  async lose(): Promise<void> {
    if (!this.#chance.happens(this.#settings.losses)) return
    if (this.#chance.happens(0.6)) return this.#stage.loseEverything()
    const names = this.#stage.store.names.filter((record) =>
      isOfDeletions({ verb: 'read', record, writes: false }),
    )
    await this.#stage.loseSome(this.#chance.sample(names, this.#chance.between(1, 2)))
  }

  mistakes(): Mistakes {
    if (!this.#chance.happens(this.#settings.mistakes)) return noMistakes
    const { accounts, story } = this.#stage
    const chance = this.#chance
    const ids = accounts.live().map(({ id }) => id)
    const share = chance.pick([0, 0, 0.3, 0.9])
    const mistakes: Mistakes = {
      leavesOut: new Set(chance.sample(ids, Math.floor(ids.length * share))),
      yieldsOwn: chance.happens(0.3),
      yieldsOthers: chance.happens(0.3) ? this.#others() : 'no',
      forgetsDirectory: chance.happens(0.2),
      forgetsTime: chance.happens(0.2),
      forgetsGroups: false,
    }
    const { leavesOut, ...others } = mistakes
    story.tell(`\`known\` leaves out ${leavesOut.size} of ${ids.length}, and ${JSON.stringify(others)}`)
    return mistakes
  }

  /** Without the organization's id, only a pass over both organizations detects a record that is yielded twice. */
  #others(): Mistakes['yieldsOthers'] {
    const { environment } = this.#stage
    const listed = environment.open().filter(({ leftOut }) => !leftOut)
    const passed = new Set(listed.map(({ organizationId }) => organizationId))
    const isTold = this.#chance.happens(0.5) || passed.size < environment.organizations.length
    return isTold ? 'with-organization' : 'without'
  }
}
