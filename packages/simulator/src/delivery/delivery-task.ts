import type { Clock, ScimEvent } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import type { Activity } from '../activity.ts'
import type { Randomness } from '../randomness.ts'
import type { EndpointQueue } from './endpoint-queue.ts'
import type { Endpoint } from './endpoints.ts'
import { attemptFaultNames, drawFaults, messageFaultNames, type WebhookFaults } from './faults.ts'
import { type Attempt, type AttemptTrigger, type Delivery, isDelivered, type Message } from './messages.ts'
import { waitAfterMs } from './schedule.ts'
import type { Progress } from './stored.ts'
import { type Transmitted, transmit } from './transmission.ts'
import type { WebhookClient } from './webhook-client.ts'

/** The objects that all deliveries of a simulator share. */
export interface DeliveryContext {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly retryJitterShare: number
  readonly client: WebhookClient
  readonly activity: Activity
  faults: WebhookFaults
  isClosed: boolean
  endpointOf(id: string): Endpoint
  /** Called after each change to a message. `attempt` is the attempt that caused the change. */
  changed(record: MessageRecord, attempt?: Attempt): void
}

/** A message with the state of its deliveries. */
export class MessageRecord {
  readonly message: Message
  readonly deliveries: DeliveryTask[] = []
  /**
   * The sequence number of the message in the run. Runs with the same seed have the same sequence numbers, but
   * different message ids, because a message id contains the time.
   */
  readonly ordinal: number
  /** The size of the logged replies. */
  loggedBytes = 0
  #body: string | undefined

  constructor(ordinal: number, id: string, event: ScimEvent, createdAtMs: number) {
    this.ordinal = ordinal
    this.message = { id, event, createdAtMs, deliveries: this.deliveries }
  }

  /** The body, which is the same for all attempts and endpoints. The first attempt serializes the event. */
  get body(): string {
    this.#body ??= JSON.stringify(this.message.event)
    return this.#body
  }

  get isFinished(): boolean {
    return this.deliveries.every(({ state }) => state !== 'pending')
  }
}

/** Sends one message to one endpoint. A fault can prevent all attempts. Retries a failed attempt. */
export class DeliveryTask implements Delivery {
  readonly endpointId: string
  state: Delivery['state']
  attempts: readonly Attempt[] = []
  attemptsUnderWay = 0
  declare givenUp?: string
  declare nextAttemptAtMs?: number
  readonly #context: DeliveryContext
  readonly #queue: EndpointQueue
  readonly #record: MessageRecord
  readonly #randomness: Randomness
  #cancelWait: () => void = () => {}
  #failures = 0
  #attemptCount = 0

  constructor(
    context: DeliveryContext,
    queue: EndpointQueue,
    record: MessageRecord,
    endpointId: string,
    state: 'pending' | 'failed',
  ) {
    this.endpointId = endpointId
    this.state = state
    this.#context = context
    this.#queue = queue
    this.#record = record
    this.#randomness = context.randomness.fork(`${record.ordinal} ${endpointId}`)
  }

  begin(): void {
    const drawn = drawFaults(messageFaultNames, this.#context.faults, this.#randomness)
    const { drop, delay, reorder, ...copies } = drawn
    if (drop) {
      this.#end('dropped')
    } else if (delay) {
      this.#wait(delay.seconds * 1000, { delay, ...copies })
    } else if (reorder) {
      const { past = 1, atMostSeconds = 60 } = reorder
      const release = () => this.#enqueueAttempt({ reorder, ...copies })
      this.#cancelWait = this.#queue.hold(past, atMostSeconds * 1000, release)
    } else {
      this.#queue.begin(this.#record.ordinal)
      this.#enqueueAttempt(copies)
    }
  }

  /** Continues a delivery of an earlier run of the simulator. */
  resume({ failures, nextAttemptAtMs = 0 }: Progress): void {
    this.#failures = failures
    this.#attemptCount = failures
    this.#wait(Math.max(nextAttemptAtMs - this.#context.clock.now(), 0))
  }

  /** The state that `resume` needs. */
  get progress(): Progress {
    return { failures: this.#failures, ...omitUndefined({ nextAttemptAtMs: this.nextAttemptAtMs }) }
  }

  /** Makes attempts outside the schedule, without retries or faults. */
  async attempt(endpoint: Endpoint, trigger: AttemptTrigger, copies: number): Promise<Attempt[]> {
    const work = Promise.all(Array.from({ length: copies }, () => this.#transmit(endpoint, trigger, {})))
    const sent = await this.#context.activity.track(work)
    return sent.map(({ attempt }) => attempt)
  }

  /** Ends the delivery as failed, without its remaining attempts. */
  giveUp(reason: string): void {
    if (this.state !== 'pending') return
    this.givenUp = reason
    this.#end('failed')
  }

  /** Cancels the next attempt. */
  stop(): void {
    this.#cancelWait()
  }

  #wait(waitMs: number, faults: WebhookFaults = {}): void {
    const { clock, isClosed } = this.#context
    this.nextAttemptAtMs = clock.now() + waitMs
    if (isClosed) return
    const timer = clock.setTimeout(() => this.#enqueueAttempt(faults), waitMs)
    this.#cancelWait = () => timer.cancel()
  }

  #enqueueAttempt(faults: WebhookFaults): void {
    delete this.nextAttemptAtMs
    const attempted = this.#queue.push(async () => {
      await this.#attemptOnSchedule(faults)
      this.#queue.end(this.#record.ordinal)
    })
    void this.#context.activity.track(attempted)
  }

  async #attemptOnSchedule(messageFaults: WebhookFaults): Promise<void> {
    // While the attempt is queued, a replay can deliver the message.
    if (this.#context.isClosed || this.state !== 'pending') return

    const endpoint = this.#context.endpointOf(this.endpointId)
    const randomness = this.#randomness.fork(`attempt ${this.#failures + 1}`)
    const faults = { ...messageFaults, ...drawFaults(attemptFaultNames, this.#context.faults, randomness) }
    const copies = faults.duplicate ? (faults.duplicate.copies ?? 2) : 1
    const [scheduled] = await Promise.all(
      Array.from({ length: copies }, (_, copy) =>
        this.#transmit(endpoint, copy === 0 ? 'schedule' : 'duplicate', faults),
      ),
    )
    if (scheduled && this.state === 'pending') this.#fail(scheduled)
  }

  /** Makes one attempt. A successful attempt that is not forged ends the delivery. */
  async #transmit(endpoint: Endpoint, trigger: AttemptTrigger, faults: WebhookFaults): Promise<Transmitted> {
    const { message, body } = this.#record
    const number = ++this.#attemptCount
    this.attemptsUnderWay++
    this.#context.changed(this.#record)
    const sent = await transmit(
      { endpoint, messageId: message.id, body, number, trigger, faults, randomness: this.#randomness },
      this.#context,
    )
    this.attemptsUnderWay--
    this.attempts = [...this.attempts, sent.attempt].sort((a, b) => a.number - b.number)
    if (trigger !== 'forge' && isDelivered(sent.attempt)) this.#end('delivered')
    this.#context.changed(this.#record, sent.attempt)
    return sent
  }

  #fail({ attempt, timedOut }: Transmitted): void {
    const failures = ++this.#failures
    const isOverloaded = timedOut || attempt.response?.status === 429
    const randomness = this.#randomness.fork(`wait ${failures}`)
    const waitMs = waitAfterMs(failures, isOverloaded, this.#context.retryJitterShare, randomness)
    if (waitMs === undefined) this.#end('failed')
    else this.#wait(waitMs)
    this.#context.changed(this.#record)
  }

  #end(state: 'delivered' | 'failed' | 'dropped'): void {
    this.#cancelWait()
    delete this.nextAttemptAtMs
    if (state === 'delivered') delete this.givenUp
    this.state = state
    this.#context.changed(this.#record)
  }
}
