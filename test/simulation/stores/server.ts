import type { SimulatedProcess } from '../process.ts'
import type { Stream } from '../stream.ts'
import { startMs, type World } from '../world.ts'

/** Faults of the network, as shares of the calls. */
export interface NetworkFaults {
  /** The request is lost, so the call is not carried out. */
  lostRequests: number
  /** The call is carried out, and its answer is lost. */
  lostAnswers: number
  /** The request or the answer arrives late. */
  late: number
  lateAtMostMs: number
  /** The longest latency of the calls that are not late, in each direction. */
  slowAtMostMs: number
}

export const noFaults: NetworkFaults = {
  lostRequests: 0,
  lostAnswers: 0,
  late: 0,
  lateAtMostMs: 0,
  slowAtMostMs: 3,
}

/** A call that was not answered as usual. */
export interface TroubledCall {
  process: SimulatedProcess
  label: string
  sentMs: number
  /** The time of the answer or the error. */
  endedMs: number
}

/** A moment of a call at which a process can be interrupted. */
export type CallMoment = 'sent' | 'carried out'

type Fate = 'well' | 'lost request' | 'lost answer' | 'late request' | 'late answer'

/** A call on its way to the server, and the way of its answer. */
interface Call {
  label: string
  process: SimulatedProcess
  fate: Fate
  sentMs: number
  requestMs: number
  answerMs: number
  /** After this time, the caller gets an error for a lost call. */
  errorMs: number
  carryOut(): void
  fail(code: string): void
}

interface ServerOptions {
  clockOffsetMs: number
  /** Whether calls on their way are lost with their process. */
  callsDieWithProcess: boolean
  /** A call that takes longer counts as troubled. */
  troubledFromMs: number
}

/** A store's server behind a network. Each call is carried out at one moment between its request and its answer. */
export class Server {
  faults: NetworkFaults = noFaults
  readonly losses: { atMs: number; sinceMs: number }[] = []
  readonly troubledCalls: TroubledCall[] = []
  readonly world: World
  readonly #options: ServerOptions
  #state: 'up' | 'frozen' | 'down' = 'up'
  #waiting: Call[] = []
  #interruptions: { process: SimulatedProcess; moment: CallMoment; run: () => void }[] = []

  constructor(world: World, options: ServerOptions) {
    this.world = world
    this.#options = options
  }

  /** The server's wall clock. */
  now(): number {
    return startMs + this.world.nowMs + this.#options.clockOffsetMs
  }

  call<Answer>(process: SimulatedProcess, label: string, execute: () => Answer): Promise<Answer> {
    const random = this.world.stream(`call ${label}`)
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void, delayMs: number) => {
        this.world.schedule(delayMs, settle, process)
      }
      const call: Call = {
        label,
        process,
        sentMs: this.world.nowMs,
        ...this.#fateOf(random),
        carryOut: () => {
          const result = execute()
          this.#interrupt(call, 'carried out')
          this.#tell(call, () => shown(result))
          if (call.fate === 'lost answer') call.fail('ECONNRESET')
          else answer(() => resolve(result), call.answerMs)
        },
        fail: (code) => {
          this.#note(call, call.errorMs)
          this.#tell(call, () => code)
          answer(() => reject(Object.assign(new Error(code), { code })), call.errorMs)
        },
      }
      this.#interrupt(call, 'sent')
      const tookMs = call.requestMs + call.answerMs
      if (call.fate !== 'well' || tookMs > this.#options.troubledFromMs) this.#note(call, tookMs)
      const request = this.world.schedule(call.requestMs, () => this.#arrive(call))
      if (this.#options.callsDieWithProcess || random.happens(0.3)) {
        process.onDeath(() => {
          request.isCancelled = true
        })
      }
    })
  }

  /** Runs a function at this moment of the next call of a process. */
  interruptNextCall(process: SimulatedProcess, moment: CallMoment, run: () => void): void {
    this.#interruptions.push({ process, moment, run })
  }

  cancelInterruptions(): void {
    this.#interruptions = []
  }

  freeze(): void {
    if (this.#state === 'up') this.#state = 'frozen'
  }

  shutDown(): void {
    this.#state = 'down'
    this.#release(1)
  }

  /** Carries out the calls that waited in a frozen server. Some of them were dropped with their connection. */
  recover(droppedShare = 0): void {
    this.#state = 'up'
    this.#release(droppedShare)
  }

  #release(droppedShare: number): void {
    const random = this.world.stream('recovery')
    for (const call of this.#waiting.splice(0)) {
      if (random.happens(droppedShare)) call.fail('ECONNRESET')
      else this.world.schedule(random.real(0, 5), () => this.#arrive(call))
    }
  }

  #arrive(call: Call): void {
    if (this.#state === 'down') call.fail('ECONNREFUSED')
    else if (this.#state === 'frozen') {
      this.#note(call, Number.POSITIVE_INFINITY)
      this.#waiting.push(call)
    } else if (call.fate === 'lost request') call.fail('ECONNRESET')
    else call.carryOut()
  }

  #interrupt({ process }: Call, moment: CallMoment): void {
    const due = this.#interruptions.filter((one) => one.process === process && one.moment === moment)
    if (due.length === 0) return
    this.#interruptions = this.#interruptions.filter((one) => !due.includes(one))
    for (const { run } of due) this.world.schedule(0, run)
  }

  #fateOf(random: Stream): Pick<Call, 'fate' | 'requestMs' | 'answerMs' | 'errorMs'> {
    const { lostRequests, lostAnswers, late, lateAtMostMs, slowAtMostMs } = this.faults
    const latency = () => (random.happens(0.85) ? random.real(0.2, 3) : random.spread(3, slowAtMostMs))
    const drawn = random.next()
    const lateMs = random.spread(100, Math.max(lateAtMostMs, 101))
    const lateFate = random.pick(['late request', 'late answer'] as const)
    let fate: Fate = 'well'
    if (drawn < lostRequests) fate = 'lost request'
    else if (drawn < lostRequests + lostAnswers) fate = 'lost answer'
    else if (drawn < lostRequests + lostAnswers + late) fate = lateFate
    return {
      fate,
      requestMs: latency() + (fate === 'late request' ? lateMs : 0),
      answerMs: latency() + (fate === 'late answer' ? lateMs : 0),
      // A client that does not notice the loss only fails when its socket does.
      errorMs: random.happens(0.5) ? random.spread(1, 3000) : random.spread(10_000, 120_000),
    }
  }

  #note({ process, label, sentMs }: Call, endsInMs: number): void {
    this.troubledCalls.push({ process, label, sentMs, endedMs: this.world.nowMs + endsInMs })
  }

  #tell({ process, label, fate }: Call, answer: () => string): void {
    const trouble = fate === 'well' ? '' : ` [${fate}]`
    this.world.story.tell(() => `    store: ${process.name} ${label} → ${answer()}${trouble}`)
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
