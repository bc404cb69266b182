import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ReceiverOptions } from '@scalekit-scim/core'
import type { Random } from './random.ts'

/** The step in which a process kills itself: the ledger's begin or commit, the handler's work, or its write. */
export type KillPoint = 'begin' | 'handler' | 'effect' | 'commit'

export interface Kill {
  point: KillPoint
  /** The number of times that the process passes the step before the kill. */
  skip: number
  /** The delay after the start of the step. The value 0 means just before the step. */
  delayMs: number
}

/** The round trips to the store. `polls` counts the begins that had to wait. */
export type VerbCalls = Record<'begin' | 'renew' | 'commit' | 'release' | 'polls', number>

export interface InstanceOptions {
  name: string
  store: { kind: 'redis' | 'postgres' | 'mysql'; url: string }
  /** Hides the kind of the store, so that the ledger can use only Keyv's own methods. */
  generic?: boolean
  namespace: string
  journal: { url: string; schema: string }
  handlerMs: number
  kill?: Kill | undefined
  receiver?: Pick<ReceiverOptions, 'leaseSeconds' | 'deadlineSeconds' | 'storeTimeoutSeconds'>
}

export type FromInstance = { port: number; guarantee: string } | { calls: VerbCalls }

const program = fileURLToPath(new URL('./instance.ts', import.meta.url))
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** One process, from its start to its end. */
class Instance {
  readonly name: string
  readonly #child: ChildProcess
  #port: number | undefined
  guarantee = ''
  /** Set by a planned kill: the messages that may have an effect and no commit. */
  uncommitted: readonly string[] | undefined
  readonly exited: Promise<unknown>

  constructor(options: InstanceOptions) {
    this.name = options.name
    this.#child = spawn(process.execPath, [program, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    running.add(this.#child)
    let lastWords = ''
    this.#child.stdout?.on('data', (chunk) => {
      lastWords += chunk
    })
    // Node emits 'close' after the whole output was read.
    this.exited = once(this.#child, 'close').then(() => {
      running.delete(this.#child)
      this.#port = undefined
      if (lastWords.startsWith('[')) this.uncommitted = JSON.parse(lastWords)
    })
    this.#child.once('exit', () => {
      this.#port = undefined
    })
  }

  get url(): string | undefined {
    return this.#port === undefined ? undefined : `http://127.0.0.1:${this.#port}/webhooks/scalekit`
  }

  async ready(): Promise<void> {
    const told = await Promise.race([once(this.#child, 'message'), this.exited])
    if (!Array.isArray(told)) throw new Error(`${this.name} exited before it listened`)
    const message: FromInstance = told[0]
    if ('port' in message) {
      this.#port = message.port
      this.guarantee = message.guarantee
    }
  }

  async calls(): Promise<VerbCalls> {
    this.#child.send('calls')
    const [message]: FromInstance[] = await once(this.#child, 'message')
    if (!message || !('calls' in message)) throw new Error(`${this.name} did not report its calls`)
    return message.calls
  }

  kill(): Promise<unknown> {
    this.#child.kill('SIGKILL')
    return this.exited
  }

  /** Stops the whole process for a while. A shell continues the process, even if the test's own process exits. */
  async stall(ms: number): Promise<void> {
    const { pid } = this.#child
    await once(spawn('sh', ['-c', `kill -STOP ${pid}; sleep ${ms / 1000}; kill -CONT ${pid}`]), 'exit')
  }
}

/** A fleet of several processes, as behind a load balancer. The fleet replaces a process that exits. */
export class Fleet {
  readonly #options: Omit<InstanceOptions, 'name'>
  readonly #kills: Kill[]
  #instances: Instance[] = []
  readonly #dead: Instance[] = []
  #started = 0
  #closing = false

  private constructor(options: Omit<InstanceOptions, 'name' | 'kill'>, kills: Kill[]) {
    this.#options = options
    this.#kills = [...kills]
  }

  /** @param kills the planned kills, one for each started process, in this order */
  static async start(
    size: number,
    options: Omit<InstanceOptions, 'name' | 'kill'>,
    kills: Kill[] = [],
  ): Promise<Fleet> {
    const fleet = new Fleet(options, kills)
    await Promise.all(Array.from({ length: size }, () => fleet.#launch()))
    return fleet
  }

  async #launch(): Promise<void> {
    const instance = new Instance({
      ...this.#options,
      name: `instance-${this.#started++}`,
      kill: this.#kills.shift(),
    })
    this.#instances.push(instance)
    void instance.exited.then(() => {
      this.#instances = this.#instances.filter((other) => other !== instance)
      this.#dead.push(instance)
      if (!this.#closing) void this.#launch().catch(() => {})
    })
    await instance.ready()
  }

  get guarantees(): string[] {
    return this.#instances.map(({ guarantee }) => guarantee)
  }

  /** The processes that a planned kill ended. */
  get killed(): readonly Instance[] {
    return this.#dead.filter(({ uncommitted }) => uncommitted !== undefined)
  }

  /** The processes that ended for another reason. Their number should be 0. */
  get crashed(): readonly Instance[] {
    return this.#dead.filter(({ uncommitted }) => uncommitted === undefined)
  }

  get instances(): readonly Instance[] {
    return this.#instances.filter(({ url }) => url !== undefined)
  }

  /** Waits for a process that listens, and returns its endpoint. */
  async target(random: Random): Promise<string> {
    for (;;) {
      const urls = this.instances.map(({ url }) => url)
      const url = urls[random.below(urls.length)]
      if (url !== undefined) return url
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async calls(): Promise<VerbCalls> {
    const each = await Promise.all(this.instances.map((instance) => instance.calls()))
    const total = { begin: 0, renew: 0, commit: 0, release: 0, polls: 0 }
    for (const calls of each) {
      total.begin += calls.begin
      total.renew += calls.renew
      total.commit += calls.commit
      total.release += calls.release
      total.polls += calls.polls
    }
    return total
  }

  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(this.#instances.map((instance) => instance.kill()))
  }
}
