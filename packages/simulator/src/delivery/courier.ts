import type { Clock } from '@scalekit-scim/core'
import type { Randomness } from '../randomness.ts'
import type { Endpoint } from './endpoints.ts'
import { DeliveryError } from './errors.ts'
import { drawAttemptFaults, drawMessageFaults, type StruckFaults, type WebhookFaults } from './faults.ts'
import type { Lane } from './lane.ts'
import type { MessageRecord, OpenDelivery } from './message-log.ts'
import { type Attempt, type AttemptTrigger, isDelivered } from './messages.ts'
import type { Overtaking } from './overtaking.ts'
import { waitAfterMs } from './schedule.ts'
import type { Progress } from './stored.ts'
import type { Transmission, Transmitted } from './transmission.ts'

/** What a courier shares with all others. */
export interface Depot {
  readonly clock: Clock
  readonly retryJitterShare: number
  readonly faults: WebhookFaults
  readonly isClosed: boolean
  endpoint(id: string): Endpoint | undefined
  transmit(transmission: Transmission): Promise<Transmitted>
  /** Tells of a change to the message, and of the attempt that made it. */
  changed(record: MessageRecord, attempt?: Attempt): void
  /** Nothing is idle until the work is done. */
  track<Result>(work: Promise<Result>): Promise<Result>
}

/** What a courier shares with those of the same endpoint. */
export interface Route {
  readonly lane: Lane
  readonly overtaking: Overtaking
}

/** Brings one message to one endpoint: the first attempt when faults let it, and the next ones after failures. */
export class Courier {
  readonly #depot: Depot
  readonly #route: Route
  readonly #record: MessageRecord
  readonly #delivery: OpenDelivery
  readonly #randomness: Randomness
  #cancelWait: () => void = () => {}
  #failures = 0
  #numbers = 0

  constructor(
    depot: Depot,
    route: Route,
    record: MessageRecord,
    delivery: OpenDelivery,
    randomness: Randomness,
  ) {
    this.#depot = depot
    this.#route = route
    this.#record = record
    this.#delivery = delivery
    this.#randomness = randomness
  }

  begin(): void {
    const { drop, delay, reorder, duplicate } = drawMessageFaults(this.#depot.faults, this.#randomness)
    if (drop) {
      this.#end('dropped')
    } else if (delay) {
      this.#wait(delay.seconds * 1000, { delay, duplicate })
    } else if (reorder) {
      const { past = 1, atMostSeconds = 60 } = reorder
      const release = () => this.#setOut({ reorder, duplicate })
      this.#cancelWait = this.#route.overtaking.hold(past, atMostSeconds * 1000, release)
    } else {
      this.#route.overtaking.begin(this.#record.ordinal)
      this.#setOut({ duplicate })
    }
  }

  /** Goes on with what another run of the simulator began. */
  resume({ failures, nextAttemptAtMs = 0 }: Progress): void {
    this.#failures = failures
    this.#numbers = failures
    this.#wait(Math.max(nextAttemptAtMs - this.#depot.clock.now(), 0))
  }

  /** What `resume` needs. */
  get progress(): Progress {
    const { nextAttemptAtMs } = this.#delivery
    return { failures: this.#failures, ...(nextAttemptAtMs === undefined ? {} : { nextAttemptAtMs }) }
  }

  /** Attempts out of turn: they bring no retry, and no fault but what they are themselves. */
  async attempt(trigger: Exclude<AttemptTrigger, 'schedule'>, copies = 1): Promise<Attempt[]> {
    const endpoint = this.#depot.endpoint(this.#delivery.endpointId)
    if (!endpoint) throw new DeliveryError('not-found', 'the endpoint is there no more')
    const work = Promise.all(Array.from({ length: copies }, () => this.#transmit(endpoint, trigger, {})))
    const sent = await this.#depot.track(work)
    return sent.map(({ attempt }) => attempt)
  }

  /** Gives the message up before its last attempt. */
  giveUp(reason: string): void {
    if (this.#delivery.state !== 'pending') return
    this.#delivery.givenUp = reason
    this.#end('failed')
  }

  /** No attempt begins any more. */
  stop(): void {
    this.#cancelWait()
  }

  #wait(waitMs: number, struck: StruckFaults = {}): void {
    const { clock, isClosed } = this.#depot
    this.#delivery.nextAttemptAtMs = clock.now() + waitMs
    if (isClosed) return
    const timer = clock.setTimeout(() => this.#setOut(struck), waitMs)
    this.#cancelWait = () => timer.cancel()
  }

  /** A scheduled attempt, as soon as the endpoint's lane has a place. */
  #setOut(struck: StruckFaults): void {
    delete this.#delivery.nextAttemptAtMs
    const attempted = this.#route.lane.run(async () => {
      await this.#attemptOnSchedule(struck)
      this.#route.overtaking.end(this.#record.ordinal)
    })
    void this.#depot.track(attempted)
  }

  async #attemptOnSchedule(struck: StruckFaults): Promise<void> {
    const { faults: all, isClosed } = this.#depot
    const endpoint = this.#depot.endpoint(this.#delivery.endpointId)
    // Meanwhile a replay may have brought it there.
    if (isClosed || !endpoint || this.#delivery.state !== 'pending') return

    const randomness = this.#randomness.fork(`attempt ${this.#failures + 1}`)
    const faults = { ...struck, ...drawAttemptFaults(all, randomness) }
    const copies = faults.duplicate ? (faults.duplicate.copies ?? 2) : 1
    const [own] = await Promise.all(
      Array.from({ length: copies }, (_, copy) =>
        this.#transmit(endpoint, copy === 0 ? 'schedule' : 'duplicate', faults),
      ),
    )
    if (own && this.#delivery.state === 'pending') this.#fail(own)
  }

  /** Any attempt that is answered well delivers the message, but for a forged one. */
  async #transmit(endpoint: Endpoint, trigger: AttemptTrigger, faults: StruckFaults): Promise<Transmitted> {
    const number = ++this.#numbers
    this.#delivery.attemptsUnderWay++
    this.#depot.changed(this.#record)
    const sent = await this.#depot.transmit({
      endpoint,
      record: this.#record,
      number,
      trigger,
      faults,
      randomness: this.#randomness,
    })
    this.#delivery.attemptsUnderWay--
    this.#delivery.attempts = [...this.#delivery.attempts, sent.attempt].sort((a, b) => a.number - b.number)
    if (trigger !== 'forge' && isDelivered(sent.attempt)) this.#end('delivered')
    this.#depot.changed(this.#record, sent.attempt)
    return sent
  }

  #fail({ attempt, timedOut }: Transmitted): void {
    this.#failures++
    const waitMs = waitAfterMs(
      { failures: this.#failures, timedOut, status: attempt.response?.status },
      this.#depot.retryJitterShare,
      this.#randomness.fork(`wait ${this.#failures}`),
    )
    if (waitMs === undefined) this.#end('failed')
    else this.#wait(waitMs)
    this.#depot.changed(this.#record)
  }

  #end(state: 'delivered' | 'failed' | 'dropped'): void {
    this.#cancelWait()
    delete this.#delivery.nextAttemptAtMs
    if (state === 'delivered') delete this.#delivery.givenUp
    this.#delivery.state = state
    this.#depot.changed(this.#record)
  }
}
