import type { Handlers } from '@scalekit-scim/core'
import type { DirectoryRef, DirectorySyncOptions, KnownRecord } from '@scalekit-scim/core/sync'
import {
  type Accounts,
  type Effect,
  handlersFor,
  noMistakes,
  type Row,
} from '../../support/deletion-histories/accounts.ts'
import type { Kind } from '../../support/deletion-histories/environment.ts'
import type { SimulatedProcess } from '../process.ts'
import { startMs, type World } from '../world.ts'
import type { DeletionJudge } from './deletion-judge.ts'
import type { SyncPlan } from './plan.ts'

/** The last change of a row. */
export interface Write {
  source: string
  process: SimulatedProcess
  atMs: number
}

interface Scene {
  world: World
  plan: SyncPlan
  accounts: Accounts
  judge: DeletionJudge
  isQuiet: () => boolean
}

/** The application: its handlers, its rows, and the queries behind `known`. */
export class SyncApplication {
  /** The last write of each row. */
  readonly writes = new Map<string, Write>()
  /** Webhooks that were written while a pass was running. */
  writesInPass = 0
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
    const { yieldsOwn, yieldsDirectory, yieldsTime, yieldsGroups } = scene.plan.known
    scene.accounts.isGuarded = scene.plan.isGuarded
    scene.accounts.mistakes = {
      ...noMistakes,
      yieldsOwn,
      forgetsDirectory: !yieldsDirectory,
      forgetsTime: !yieldsTime,
      forgetsGroups: !yieldsGroups,
    }
  }

  handlersIn(process: SimulatedProcess): Handlers {
    return handlersFor((effect) => this.#handle(effect, process))
  }

  knownIn(process: SimulatedProcess): Pick<DirectorySyncOptions, 'known'> {
    const { users, groups } = this.#scene.plan.known
    if (!users) return {}
    const known = (kind: Kind) => (directory: DirectoryRef) => this.#known(kind, directory, process)
    return { known: { users: known('user'), ...(groups ? { groups: known('group') } : {}) } }
  }

  /** Adds a user of the application who never came from a directory. */
  signUp(number: number): void {
    const { world, accounts } = this.#scene
    const random = world.stream(`own user ${number}`)
    const id = random.pick([
      `usr_${number}`,
      `0b1f1c1e-7f6c-4c55-9a51-${String(number).padStart(12, '0')}`,
      `ann.${number}@example.com`,
    ])
    const occurredAt = random.happens(0.5) ? instantOf(startMs + world.nowMs) : null
    const row: Row = {
      id,
      kind: 'user',
      organizationId: 'org_1',
      directoryId: null,
      occurredAt,
      deleted: false,
      own: true,
    }
    accounts.rows.set(id, row)
    world.story.tell(() => `${id} signs up by email`)
  }

  async #handle(effect: Effect, process: SimulatedProcess): Promise<void> {
    const { world, plan, isQuiet } = this.#scene
    const random = world.stream(`handler ${effect.context.source} ${effect.id}`)
    const fails = !isQuiet() && random.happens(plan.handlerFailures)
    await process.sleep(random.spread(0.5, isQuiet() ? 20 : 200))
    if (fails) throw new Error('the handler fails')
    await new Promise<void>((resolve) => {
      const write = world.schedule(random.spread(0.2, 20), () => {
        this.#put(effect, process)
        world.schedule(random.spread(0.2, 10), resolve, process)
      })
      // The write of a process that dies may be carried out, or not.
      if (random.happens(0.5)) {
        process.onDeath(() => {
          write.isCancelled = true
        })
      }
    })
  }

  #put(effect: Effect, process: SimulatedProcess): void {
    const { world, accounts, judge } = this.#scene
    const { id, deletes, context } = effect
    const { source, occurredAt } = context
    const what = () =>
      `${id} ${deletes ? 'deleted' : 'written'} as of ${occurredAt} by ${source} on ${process.name}`
    if (!accounts.takes(effect)) {
      world.story.tell(() => `  database: the guard refuses ${what()}`)
      return
    }
    const row = accounts.rows.get(id)
    if (deletes && source === 'sync' && row && !row.deleted) judge.deleted(effect, process)
    if (source === 'webhook' && judge.open.size > 0) this.writesInPass++
    accounts.put(effect, world.nowMs)
    this.writes.set(id, { source, process, atMs: world.nowMs })
    world.story.tell(() => `  database: ${what()}`)
  }

  /** Yields the rows of a query, some of them after a pause. */
  async *#known(kind: Kind, directory: DirectoryRef, process: SimulatedProcess): AsyncGenerator<KnownRecord> {
    const { world, accounts, plan, judge } = this.#scene
    const random = world.stream(`known ${process.name}`)
    const query = () => new Map(accounts.known(kind, directory).map((record) => [record.id, record]))
    let records = query()
    const yielded: KnownRecord[] = []
    let read = 0
    for (const id of [...records.keys()]) {
      if (++read % 5 === 0) {
        await process.sleep(random.spread(0.5, 200))
        if (plan.known.isLive) records = query()
      }
      const record = records.get(id)
      if (!record) continue
      judge.yielded(process, record)
      yielded.push(record)
      yield record
    }
    judge.read(process, directory, kind, yielded)
  }
}

/** In the form of `ctx.occurredAt`. */
export function instantOf(ms: number): string {
  return new Date(Math.floor(ms)).toISOString().replace('Z', '000000Z')
}
