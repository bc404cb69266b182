import {
  DropEvent,
  type EventHandler,
  type HandlerContext,
  type ReceiverOptions,
  type ScimEvent,
} from '@scalekit-scim/core'
import type { Database } from './database.ts'
import type { Message } from './messages.ts'
import type { Plan } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import type { HistoryRecord, Run } from './record.ts'
import { Stream, seedOf } from './stream.ts'
import type { World } from './world.ts'

type End =
  | 'succeeds'
  | 'throws at once'
  | 'throws before the write'
  | 'throws after the write'
  | 'drops'
  | 'hangs'

/** How a handler runs. */
interface Behaviour {
  beforeMs: number
  writeMs: number
  afterMs: number
  end: End
  /** Whether the handler stops when its signal aborts. */
  heeds: boolean
  returnsList: boolean
}

interface Scene {
  world: World
  plan: Plan
  record: HistoryRecord
  database: Database
  messages: ReadonlyMap<string, Message>
  /** Whether the faults of the history have ended. */
  isQuiet: () => boolean
}

/** The handlers of an application that writes each event to its database. */
export class Application {
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  handlersIn(process: SimulatedProcess): Partial<ReceiverOptions> {
    const { handlesDeactivated, handlesAll } = this.#scene.plan.application
    const handle: EventHandler<ScimEvent> = (_, ctx) => this.#handle(process, ctx)
    return {
      onUserUpserted: handle,
      onUserDeleted: handle,
      onGroupUpserted: handle,
      onGroupDeleted: handle,
      onDirectoryEnabled: handle,
      onDirectoryDisabled: handle,
      ...(handlesDeactivated ? { onUserDeactivated: handle } : {}),
      ...(handlesAll ? { onEvent: (event, ctx) => this.#handleAny(process, event, ctx, handle) } : {}),
    }
  }

  /** Runs after the narrower handler of the event. It only has work of its own for events without a resource. */
  #handleAny(
    process: SimulatedProcess,
    event: ScimEvent,
    ctx: HandlerContext,
    handle: EventHandler<ScimEvent>,
  ) {
    if (event.type === 'organization.updated') return handle(event, ctx)
    this.#requireNoAbort(ctx)
    return process.sleep(this.#scene.world.stream('second handler').spread(0.5, 30))
  }

  /** A handler never begins after the signal of its event has aborted. */
  #requireNoAbort({ idempotencyKey, signal }: HandlerContext): void {
    if (!signal.aborted) return
    const { record, world } = this.#scene
    const detail = `a handler of ${idempotencyKey} begins`
    record.violations.push({ invariant: 'no begin after an abort', atMs: world.nowMs, detail })
  }

  #handle(process: SimulatedProcess, ctx: HandlerContext): unknown {
    const { idempotencyKey, signal } = ctx
    const { world, record, messages } = this.#scene
    this.#requireNoAbort(ctx)
    const message = messages.get(idempotencyKey)
    if (!message) throw new Error(`there is no message ${idempotencyKey}`)
    const run: Run = {
      message,
      process,
      number: record.runsOf(message).length,
      startedMs: world.nowMs,
      endedMs: Number.POSITIVE_INFINITY,
      end: 'running',
      abortedMs: Number.POSITIVE_INFINITY,
      abortReason: '',
    }
    record.runs.push(run)
    const behaviour = this.#behaviourOf(run)
    this.#tell(run, () => `begins: ${shown(behaviour)}`)
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        run.abortedMs = world.nowMs
        run.abortReason = String(signal.reason.message)
        this.#tell(run, () => `is aborted: ${run.abortReason}`)
        if (behaviour.heeds) reject(signal.reason)
      })
    })
    aborted.catch(() => {})
    if (behaviour.end === 'throws at once') {
      this.#end(run, 'failed')
      throw new Error(behaviour.end)
    }
    const work = this.#work(run, behaviour, aborted)
    return behaviour.returnsList ? [process.sleep(3), work] : work
  }

  async #work(
    run: Run,
    { beforeMs, writeMs, afterMs, end }: Behaviour,
    aborted: Promise<never>,
  ): Promise<void> {
    const { database } = this.#scene
    const pass = (ms: number) => Promise.race([run.process.sleep(ms), aborted])
    try {
      await pass(beforeMs)
      if (end === 'throws before the write') throw new Error(end)
      if (end === 'hangs') await aborted
      if (end === 'drops') throw new DropEvent(end)
      await database.write(run, writeMs)
      await pass(afterMs)
      if (end === 'throws after the write') throw new Error(end)
      this.#end(run, 'completed')
    } catch (error) {
      this.#end(run, DropEvent.is(error) ? 'dropped' : 'failed')
      throw error
    }
  }

  #end(run: Run, end: Run['end']): void {
    run.end = end
    run.endedMs = this.#scene.world.nowMs
    this.#tell(run, () => end)
  }

  #behaviourOf({ message, number }: Run): Behaviour {
    const { plan, isQuiet } = this.#scene
    const { wild, heeding } = plan.application
    const random = new Stream(seedOf(plan.seed, 'handler', message.id, number))
    const isTame = isQuiet() || message.plan.isTame
    const isWild = !isTame && random.happens(wild)
    const slowestMs = isWild ? plan.options.handlerTimeoutSeconds * 1300 : 6000
    const paceMs = () => {
      if (isTame) return random.spread(1, 60)
      return random.happens(0.6) ? random.spread(1, 200) : random.spread(200, slowestMs)
    }
    const fails = !isTame && random.happens(isWild ? 0.4 : 0.1)
    return {
      beforeMs: paceMs(),
      writeMs: random.spread(0.5, isWild ? 5000 : 100),
      afterMs: paceMs(),
      end: fails ? random.pick(isWild ? [...failures, 'hangs' as const] : failures) : 'succeeds',
      heeds: isTame || random.happens(heeding),
      returnsList: random.happens(0.25),
    }
  }

  #tell({ process, message, number }: Run, text: () => string): void {
    this.#scene.world.story.tell(() => `  ${process.name} handler of ${message.id} run ${number} ${text()}`)
  }
}

const failures = ['throws at once', 'throws before the write', 'throws after the write', 'drops'] as const

function shown({ beforeMs, writeMs, afterMs, end, heeds }: Behaviour): string {
  const [before, write, after] = [beforeMs, writeMs, afterMs].map(Math.round)
  return `${before} ms, writes for ${write} ms, ${after} ms, ${end}${heeds ? '' : ', ignores its signal'}`
}
