import type { DirectoryRef, KnownRecord, RunOptions, SyncReport } from '@scalekit-scim/core/sync'
import type { PageCall } from '../paged-directories.ts'
import { Accounts, type Effect } from './accounts.ts'
import { AppProcess, type CrashPoint, isWriteOfDeletions, type StoreTrouble } from './app-process.ts'
import type { Chance } from './chance.ts'
import { Changes } from './changes.ts'
import { Environment, type Kind } from './environment.ts'
import { Judge } from './judge.ts'
import { completeLimits } from './limits-watch.ts'
import { describePass } from './pass-words.ts'
import type { HistorySettings } from './settings.ts'
import { SharedStore, type StoreCall } from './shared-store.ts'
import { Story } from './story.ts'
import { VirtualTime } from './virtual-time.ts'
import { Webhooks } from './webhooks.ts'

export interface StagedPass extends Pick<RunOptions, 'mode' | 'dryRun' | 'approve'> {
  crash?: CrashPoint
  /** The calls of the store that fail. */
  trouble?: StoreTrouble
  /** Set if the records of deletions cannot be read, or cannot be written. */
  stateIsAway?: boolean
  /** The ids whose handlers fail. */
  failing?: ReadonlySet<string>
  /** The probability of a change at each page. */
  changes?: number
  /** The probability that a call of the API fails. */
  apiErrors?: number
}

/** The environment, the application, the store, the judge, and the running process. */
export class Stage {
  readonly time = new VirtualTime()
  readonly story = new Story(this.time)
  readonly environment = new Environment(this.time)
  readonly accounts = new Accounts()
  readonly webhooks = new Webhooks(this.time)
  readonly changes: Changes
  readonly judge: Judge
  store = new SharedStore(this.time.clock)
  /** The number of deletions of the sync that were written, over all passes. */
  deletions = 0
  /** The number of writes of the records of deletions. */
  stateWrites = 0
  crashes = 0
  readonly #chance: Chance
  readonly #settings: HistorySettings
  #process: AppProcess
  #pass: StagedPass | undefined

  constructor(settings: HistorySettings, chance: Chance) {
    this.#settings = settings
    this.#chance = chance
    const { environment, accounts, story, webhooks, time } = this
    const nowMs = () => time.nowMs
    this.changes = new Changes({ environment, webhooks, story, chance, settings, nowMs })
    this.judge = new Judge({
      environment,
      accounts,
      story,
      limits: completeLimits(settings.limits),
      needsHistory: settings.isShared,
      nowMs,
    })
    environment.api.largestPage = chance.pick([4, 10, 30])
    environment.api.beforePage = (call) => this.#beforePage(call)
    environment.api.bend = (page, { updatedAfter }) => {
      if (updatedAfter === undefined) this.judge.listed(page.items.map(({ id }) => id))
      return page
    }
    this.#process = this.#start()
  }

  /** Runs a pass in the current process. After a crash, another process starts. */
  async pass(staged: StagedPass = {}): Promise<SyncReport | undefined> {
    const { mode, dryRun = false, approve = [] } = staged
    const process = this.#process
    this.#pass = staged
    process.crashAt = staged.crash
    process.trouble = staged.trouble ?? (() => false)
    const stateIsAway = staged.stateIsAway ?? false
    this.judge.begin({ startedMs: this.time.nowMs, dryRun, approve: new Set(approve), stateIsAway })
    this.story.tell(`${dryRun ? 'dry run' : 'pass'} begins (${mode ?? 'auto'})`)
    const report = await this.time.settle(process.sync.run({ mode, dryRun, approve, signal: process.ended }))
    await this.webhooks.answered()
    this.#pass = undefined
    process.crashAt = undefined
    process.trouble = () => false
    if (!process.alive) return this.#replace(process)
    const disturbed = staged.trouble !== undefined
    this.judge.end(report, { wrote: !dryRun && !disturbed && hasNoError(report), disturbed })
    for (const line of describePass(report, this.story)) this.story.tell(`  ${line}`)
    return report
  }

  /** Advances the time, and delivers the due webhooks. */
  async wait(delayMs: number): Promise<void> {
    const steps = 3
    for (let step = 0; step < steps; step++) {
      await this.time.advance(delayMs / steps)
      this.webhooks.send(this.#process.dispatcher)
      await this.webhooks.answered()
    }
  }

  loseEverything(): void {
    this.story.tell('the store loses everything')
    this.store.loseAll()
    this.judge.forgetAll()
  }

  /** Makes the store lose some of the records of deletions. */
  async loseSome(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (!(await this.store.lose(name))) continue
      this.story.tell(`the store loses ${name.replace(/[0-9a-f-]{36}/, '…')}`)
      const [, kind, organizationId = '', ...chunk] = name.split(':')
      this.judge.forget(organizationId, kind === 'group' ? 'group' : 'user', chunk.length === 0)
    }
  }

  #start(): AppProcess {
    const { store, environment, time } = this
    return new AppProcess({
      clock: time.clock,
      store,
      guarantee: this.#settings.isShared ? 'atomic' : 'process',
      api: environment.api,
      limits: this.#settings.limits,
      knows: { users: true, groups: this.#settings.hasGroups },
      known: (kind, directory) => this.#known(kind, directory),
      handle: (effect, process) => this.#handle(effect, process),
      watch: (call) => this.#watch(call),
    })
  }

  #replace(dead: AppProcess): undefined {
    this.story.tell('  the process has crashed, and another starts')
    this.crashes++
    this.judge.end(undefined, { wrote: false, disturbed: true })
    dead.bury()
    if (!this.#settings.isShared) {
      this.store = new SharedStore(this.time.clock)
      this.judge.forgetAll()
    }
    this.#process = this.#start()
  }

  #known(kind: Kind, directory: DirectoryRef): KnownRecord[] {
    const records = this.accounts.known(kind, directory)
    this.judge.knownOf(directory, kind, records)
    return records
  }

  async #handle(effect: Effect, process: AppProcess): Promise<void> {
    const isSync = effect.context.source === 'sync'
    process.requireAlive()
    if (this.#chance.happens(0.2)) await this.time.sleep(this.#chance.spread(10, 3000))
    process.requireAlive()
    if (this.#pass?.failing?.has(effect.id)) throw new Error('the handler fails')
    const isDeletion = isSync && effect.deletes
    if (isDeletion) process.pass('deletion', 'before')
    if (isSync) this.judge.handled(effect)
    this.accounts.put(effect, this.time.nowMs)
    if (!isDeletion) return
    this.deletions++
    this.story.tell(`  ${effect.id} is deleted by the sync`)
    process.pass('deletion', 'after')
  }

  async #beforePage(_: PageCall): Promise<void> {
    const { changes = 0, apiErrors = 0 } = this.#pass ?? {}
    await this.time.sleep(this.#chance.spread(1, 500))
    this.#process.pass('page', 'before')
    if (this.#chance.happens(changes)) this.changes.one()
    this.webhooks.send(this.#process.dispatcher)
    if (this.#chance.happens(apiErrors)) throw Object.assign(new Error('unavailable'), { grpcStatus: 14 })
  }

  #watch(call: StoreCall): void {
    const { record, writes } = call
    if (isWriteOfDeletions(call)) this.stateWrites++
    if (this.#pass?.dryRun && writes && record !== undefined && record !== 'sync:pass') {
      this.story.accuse(`a dry run writes ${record}`)
    }
  }
}

/** Returns whether the pass ended without an error. Handlers may have failed. */
function hasNoError({ error, organizations }: SyncReport): boolean {
  return (
    !error &&
    organizations.every((one) => !one.error && one.directories.every((directory) => !directory.error))
  )
}
