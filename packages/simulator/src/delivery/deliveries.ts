import type { Clock, ScimEvent } from '@scalekit-scim/core'
import { Activity } from '../activity.ts'
import { Listeners } from '../listeners.ts'
import type { Randomness } from '../randomness.ts'
import type { Courier, Depot } from './courier.ts'
import { Couriers } from './couriers.ts'
import { type Endpoint, Endpoints, type NewEndpoint, type RotateOptions } from './endpoints.ts'
import { DeliveryError } from './errors.ts'
import { requireFaults, type WebhookFaults } from './faults.ts'
import { messageId } from './message-id.ts'
import { MessageLog, MessageRecord, type OpenDelivery } from './message-log.ts'
import type { Attempt, Message } from './messages.ts'
import type { DeliveriesOptions } from './options.ts'
import { Sender } from './sender.ts'
import type { StoredDeliveries, StoredMessage } from './stored.ts'
import { transmit } from './transmission.ts'

/** What the replies to messages may hold in all: 64 kB each, eight times each, would be 5 GB for 10,000 messages. */
const keptReplyBytes = 256 * 1024 * 1024

/** Each takes some 8 kB, its attempts included: 800 MB for a directory of that size whose endpoint does not answer. */
const mostPending = 100_000

const tooManyPending = 'too many messages are pending'

/** They go out at once, past the endpoint's lane. */
const mostCopies = 100

/** Scalekit's webhooks: endpoints, the messages on their way to them, and the log of all attempts. */
export class Deliveries {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #endpoints: Endpoints
  readonly #log: MessageLog
  readonly #sender: Sender
  readonly #activity = new Activity()
  readonly #couriers: Couriers
  readonly #listeners = new Listeners<[Message]>()
  #faults: WebhookFaults
  #sent = 0
  #isToldOfExcess = false
  #isClosed = false

  constructor(options: DeliveriesOptions) {
    const { clock, randomness, certificateAuthority } = options
    const { connectionsPerEndpoint = 64, keptMessages = 10_000, attemptDeadlineSeconds = 10 } = options
    this.#clock = clock
    this.#randomness = randomness.fork('messages')
    this.#endpoints = new Endpoints(clock, randomness.fork('endpoints'))
    this.#log = new MessageLog({
      pending: { count: mostPending, bytes: keptReplyBytes },
      finished: { count: keptMessages, bytes: keptReplyBytes },
    })
    this.#sender = new Sender({
      deadlineMs: attemptDeadlineSeconds * 1000,
      ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    })
    this.#faults = requireFaults(options.faults ?? {})
    const depot = this.#openDepot(options.retryJitterShare ?? 0.2)
    this.#couriers = new Couriers(depot, connectionsPerEndpoint, this.#randomness)
  }

  // ── Endpoints ──

  get endpoints(): Endpoint[] {
    return this.#endpoints.all
  }

  /** @throws DeliveryError 'invalid'; ConfigurationError when the secret is none */
  addEndpoint(endpoint: NewEndpoint): Endpoint {
    return this.#endpoints.add(endpoint)
  }

  /** What is on its way there is given up. @throws DeliveryError 'not-found' */
  removeEndpoint(id: string): void {
    this.#endpoints.remove(id)
    for (const delivery of this.#allDeliveries()) {
      if (delivery.endpointId === id) this.#couriers.of(delivery)?.giveUp('its endpoint was removed')
    }
    this.#couriers.closeRoute(id)
  }

  /** A new secret signs, and for a while the old one too. @throws DeliveryError 'not-found' */
  rotateSecret(id: string, options?: RotateOptions): Endpoint {
    return this.#endpoints.rotateSecret(id, options)
  }

  /** Calls the listener after each change to the endpoints; gives what stops that. What it throws is uncaught. */
  onEndpointsChange(listener: () => void): () => void {
    return this.#endpoints.onChange(listener)
  }

  // ── Messages ──

  /** All that are under way and the newest of the finished ones, the newest last. */
  get messages(): Message[] {
    return Array.from(this.#log.records, ({ message }) => message)
  }

  message(id: string): Message | undefined {
    return this.#log.get(id)?.message
  }

  /**
   * Sets an event on its way to all endpoints that want it. If more than 100,000 messages are pending then, the oldest
   * one is given up.
   * @throws DeliveryError 'closed'
   */
  send(event: ScimEvent): Message {
    this.#requireOpen()
    const ordinal = ++this.#sent
    const createdAtMs = this.#clock.now()
    const id = messageId(createdAtMs, ordinal, this.#randomness.fork(`id ${ordinal}`))
    const record = new MessageRecord(ordinal, id, event, createdAtMs)
    const wanting = this.#endpoints.all.filter(({ types }) => !types || types.includes(event.type))
    const couriers = wanting.map((endpoint) => this.#couriers.address(record, endpoint.id, 'pending'))
    this.#log.add(record)
    this.#giveUpExcess()
    this.#tell(record)
    for (const courier of couriers) courier.begin()
    return record.message
  }

  /**
   * One more attempt, to all endpoints that the message went to, or to one that it never did. A failure is not retried.
   * @throws DeliveryError 'not-found', 'closed'
   */
  replay(messageId: string, endpointId?: string): Promise<Attempt[]> {
    return this.#attempt(messageId, endpointId, (courier) => courier.attempt('replay'))
  }

  /** Several attempts at the same time. @throws DeliveryError 'not-found', 'invalid', 'closed' */
  async duplicate(messageId: string, copies = 2, endpointId?: string): Promise<Attempt[]> {
    if (!Number.isInteger(copies) || copies < 1 || copies > mostCopies) {
      throw new DeliveryError('invalid', `copies must be a whole number from 1 to ${mostCopies}`)
    }
    return this.#attempt(messageId, endpointId, (courier) => courier.attempt('duplicate', copies))
  }

  /** One attempt that is signed with a secret which is not the endpoint's. @throws DeliveryError 'not-found', 'closed' */
  forge(messageId: string, endpointId?: string): Promise<Attempt[]> {
    return this.#attempt(messageId, endpointId, (courier) => courier.attempt('forge'))
  }

  /** Calls the listener after each change to a message; gives what stops that. What it throws is uncaught. */
  onChange(listener: (message: Message) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** When no attempt is under way, or waits for another to end. Those that wait for their time do not count. */
  idle(): Promise<void> {
    return this.#activity.idle()
  }

  get faults(): WebhookFaults {
    return this.#faults
  }

  /** Holds for what is drawn from now on. @throws ConfigurationError */
  set faults(faults: WebhookFaults) {
    this.#faults = requireFaults(faults)
  }

  // ── Beginning and end ──

  /** Endpoints with their secrets, and the messages that are on their way; the log of attempts stays behind. */
  export(): StoredDeliveries {
    const messages = Array.from(this.#log.records, (record) => this.#stored(record))
    return {
      ...this.#endpoints.export(),
      sent: this.#sent,
      messages: messages.filter(({ deliveries }) => deliveries.length > 0),
    }
  }

  /** Goes on where another run's `export` was: attempts that were due meanwhile, or cut off by its end, come now. */
  restore({ messages, sent, ...endpoints }: StoredDeliveries): void {
    this.#endpoints.restore(endpoints)
    this.#sent = sent
    for (const { ordinal, id, event, createdAtMs, deliveries } of messages) {
      const record = new MessageRecord(ordinal, id, event, createdAtMs)
      const couriers = deliveries.map(({ endpointId, ...progress }) => {
        const courier = this.#couriers.address(record, endpointId, 'pending')
        return () => courier.resume(progress)
      })
      this.#log.add(record)
      for (const resume of couriers) resume()
      this.#giveUpExcess()
    }
  }

  /** No attempt begins any more; resolves when those under way have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const delivery of this.#allDeliveries()) this.#couriers.of(delivery)?.stop()
    await this.idle()
    this.#sender.close()
  }

  // ── Inside ──

  #openDepot(retryJitterShare: number): Depot {
    const deliveries = this
    return {
      clock: this.#clock,
      retryJitterShare,
      get faults() {
        return deliveries.#faults
      },
      get isClosed() {
        return deliveries.#isClosed
      },
      endpoint: (id) => this.#endpoints.find(id),
      transmit: (transmission) => transmit(transmission, this.#clock, this.#sender),
      changed: (record, attempt) => {
        this.#log.noteChange(record, attempt?.response?.body.length)
        if (attempt) this.#giveUpExcess()
        this.#tell(record)
      },
      track: (work) => this.#activity.track(work),
    }
  }

  /** An endpoint that is down for long must not fill the memory. */
  #giveUpExcess(): void {
    for (let record = this.#log.excessPending; record; record = this.#log.excessPending) {
      for (const delivery of record.deliveries) this.#couriers.of(delivery)?.giveUp(tooManyPending)
      if (this.#isToldOfExcess) continue
      this.#isToldOfExcess = true
      process.emitWarning(
        `Over ${mostPending.toLocaleString('en')} webhook messages, or ${keptReplyBytes / 1024 / 1024} MB of replies to them, are pending in the simulator. From now on the oldest ones are given up: their state is "failed", and a replay sends them. Is your endpoint running?`,
      )
    }
  }

  /** A moment later, when the change is complete: a listener may change something itself. */
  #tell({ message }: MessageRecord): void {
    queueMicrotask(() => this.#listeners.tell(message))
  }

  async #attempt(
    messageId: string,
    endpointId: string | undefined,
    attempt: (courier: Courier) => Promise<Attempt[]>,
  ): Promise<Attempt[]> {
    this.#requireOpen()
    const record = this.#log.get(messageId)
    if (!record) throw new DeliveryError('not-found', 'message not found')
    const couriers =
      endpointId === undefined ? this.#couriers.ofAll(record) : [this.#courierTo(endpointId, record)]
    return (await Promise.all(couriers.map(attempt))).flat()
  }

  #stored({ ordinal, message: { id, event, createdAtMs }, deliveries }: MessageRecord): StoredMessage {
    const pending = deliveries.flatMap((delivery) => {
      const progress = delivery.state === 'pending' && this.#couriers.of(delivery)?.progress
      return progress ? [{ endpointId: delivery.endpointId, ...progress }] : []
    })
    return { ordinal, id, event, createdAtMs, deliveries: pending }
  }

  /** Also to an endpoint that it was not for: nothing is scheduled there, so until it is replayed it counts as failed. */
  #courierTo(endpointId: string, record: MessageRecord): Courier {
    if (!this.#endpoints.find(endpointId)) throw new DeliveryError('not-found', 'endpoint not found')
    const delivery = record.deliveries.find((one) => one.endpointId === endpointId)
    const courier = delivery && this.#couriers.of(delivery)
    return courier ?? this.#couriers.address(record, endpointId, 'failed')
  }

  *#allDeliveries(): Iterable<OpenDelivery> {
    for (const { deliveries } of this.#log.records) yield* deliveries
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new DeliveryError('closed', 'deliveries are closed')
  }
}
