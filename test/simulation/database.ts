import { isOlder } from './messages.ts'
import type { Run } from './record.ts'
import type { World } from './world.ts'

/** The application's rows, one for each resource. */
export class Database {
  /** For each resource, the run that wrote its row. */
  readonly rows = new Map<string, Run>()
  readonly #world: World
  /** Whether a write is refused if the row is newer. See docs/guides/database-guard.md. */
  readonly #isGuarded: boolean

  constructor(world: World, isGuarded: boolean) {
    this.#world = world
    this.#isGuarded = isGuarded
  }

  /** Writes the event of a run, and resolves when the database has answered. */
  write(run: Run, tookMs: number): Promise<void> {
    const { message, process } = run
    const random = this.#world.stream(`write ${message.id} ${run.number}`)
    return new Promise((resolve) => {
      const write = this.#world.schedule(tookMs, () => {
        this.#put(run)
        this.#world.schedule(random.spread(0.2, 10), resolve, process)
      })
      // The write of a process that dies may be carried out, or not.
      if (random.happens(0.5)) {
        process.onDeath(() => {
          write.isCancelled = true
        })
      }
    })
  }

  #put(run: Run): void {
    const { message } = run
    run.wroteMs = this.#world.nowMs
    if (message.resource === undefined) return
    const row = this.rows.get(message.resource)
    const isKeptOut = this.#isGuarded && row !== undefined && isOlder(message, row.message)
    if (!isKeptOut) this.rows.set(message.resource, run)
    this.#world.story.tell(
      () =>
        `  database: ${message.resource} := ${message.id} of ${message.occurredAt}${isKeptOut ? ', refused by the guard' : ''}`,
    )
  }
}
