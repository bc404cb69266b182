import type { Clock, ScimEvent } from '@scalekit-scim/core'
import type { Randomness } from '../randomness.ts'
import { Courier, type Depot, type Route } from './courier.ts'
import {
  type Endpoint,
  Endpoints,
  type NewEndpoint,
  type RotateOptions,
  type StoredEndpoint,
} from './endpoints.ts'
import { DeliveryError } from './errors.ts'
import { requireFaults, type WebhookFaults } from './faults.ts'
import { Lane } from './lane.ts'
import { messageId } from './message-id.ts'
import { MessageLog, MessageRecord, type OpenDelivery } from './message-log.ts'
import type { Attempt, Message } from './messages.ts'
import { Overtaking } from './overtaking.ts'
import { Sender } from './sender.ts'
import { transmit } from './transmission.ts'

export interface DeliveriesOptions {
  clock: Clock
  randomness: Randomness
  /** How far a wait may be off the schedule, up or down. @default 0.2 */
  retryJitterShare?: number
  faults?: WebhookFaults
  /** How long an attempt waits for its whole answer, in real time. @default 10 */
  attemptDeadlineSeconds?: number
  /** How many attempts an endpoint gets at a time. @default 64 */
  connectionsPerEndpoint?: number
  /** How many finished messages are kept. @default 10 000 */
  keptMessages?: number
  /** PEM: by what endpoints on https with a certificate of their own are trusted. */
  certificateAuthority?: string
}

/** What a file keeps. */
export interface StoredDeliveries {
  endpoints: readonly StoredEndpoint[]
  drawn: number
  sent: number
}

/** What finished messages' replies may hold in all: 64 kB each, eight times each, would be 5 GB. */
const keptReplyBytes = 256 * 1024 * 1024

/** They go out at once, past the endpoint's lane. */
const mostCopies = 100

/** Scalekit's webhooks: endpoints, the messages on their way to them, and the log of all attempts. */
export class Deliveries {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #connectionsPerEndpoint: number
  readonly #endpoints: Endpoints
  readonly #log: MessageLog
  readonly #sender: Sender
  readonly #depot: Depot
  readonly #routes = new Map<string, Route>()
  readonly #couriers = new WeakMap<OpenDelivery, Courier>()
  readonly #listeners = new Set<(message: Message) => void>()
  #faults: WebhookFaults
  #sent = 0
  #underWay = 0
  #whenIdle: (() => void)[] = []
  #isClosed = false

  constructor(options: DeliveriesOptions) {
    const { clock, randomness, certificateAuthority } = options
    const { connectionsPerEndpoint = 64, keptMessages = 10_000, attemptDeadlineSeconds = 10 } = options
    this.#clock = clock
    this.#randomness = randomness.fork('messages')
    this.#connectionsPerEndpoint = connectionsPerEndpoint
    this.#endpoints = new Endpoints(clock, randomness.fork('endpoints'))
    this.#log = new MessageLog({ finished: keptMessages, bytes: keptReplyBytes })
    this.#sender = new Sender({
      deadlineMs: attemptDeadlineSeconds * 1000,
      ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    })
    this.#faults = requireFaults(options.faults ?? {})
    this.#depot = this.#openDepot(options.retryJitterShare ?? 0.2)
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
      if (delivery.endpointId === id) this.#couriers.get(delivery)?.giveUp()
    }
    this.#routes.delete(id)
  }

  /** A new secret signs, and for a while the old one too. @throws DeliveryError 'not-found' */
  rotateSecret(id: string, options?: RotateOptions): Endpoint {
    return this.#endpoints.rotateSecret(id, options)
  }

  // ── Messages ──

  /** All that are under way and the newest of the finished ones, the newest last. */
  get messages(): Message[] {
    return Array.from(this.#log.records, ({ message }) => message)
  }

  message(id: string): Message | undefined {
    return this.#log.get(id)?.message
  }

  /** Sets an event on its way to all endpoints that want it. @throws DeliveryError 'closed' */
  send(event: ScimEvent): Message {
    this.#requireOpen()
    const ordinal = ++this.#sent
    const createdAtMs = this.#clock.now()
    const id = messageId(createdAtMs, ordinal, this.#randomness.fork(`id ${ordinal}`))
    const record = new MessageRecord(ordinal, id, event, createdAtMs)
    const wanting = this.#endpoints.all.filter(({ types }) => !types || types.includes(event.type))
    const couriers = wanting.map((endpoint) => this.#address(record, endpoint.id, 'pending'))
    this.#log.add(record)
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

  /** Calls the listener after each change to a message; gives what stops that. */
  onChange(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** When no attempt is under way, or waits for another to end. Those that wait for their time do not count. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  get faults(): WebhookFaults {
    return this.#faults
  }

  /** Holds for what is drawn from now on. @throws DeliveryError 'invalid' */
  set faults(faults: WebhookFaults) {
    this.#faults = requireFaults(faults)
  }

  // ── Beginning and end ──

  export(): StoredDeliveries {
    return { ...this.#endpoints.export(), sent: this.#sent }
  }

  restore(stored: StoredDeliveries): void {
    this.#endpoints.restore(stored)
    this.#sent = stored.sent
  }

  /** No attempt begins any more; resolves when those under way have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const delivery of this.#allDeliveries()) this.#couriers.get(delivery)?.stop()
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
        this.#tell(record)
      },
      track: (work) => this.#track(work),
    }
  }

  async #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay++
    try {
      return await work
    } finally {
      this.#underWay--
      if (this.#underWay === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    }
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
      endpointId === undefined ? this.#couriersOf(record) : [this.#courierTo(endpointId, record)]
    return (await Promise.all(couriers.map(attempt))).flat()
  }

  #couriersOf({ deliveries }: MessageRecord): Courier[] {
    return deliveries.flatMap((delivery) => {
      const courier = this.#couriers.get(delivery)
      return courier && this.#endpoints.find(delivery.endpointId) ? [courier] : []
    })
  }

  /** Also to an endpoint that it was not for: nothing is scheduled there, so until it is replayed it counts as failed. */
  #courierTo(endpointId: string, record: MessageRecord): Courier {
    if (!this.#endpoints.find(endpointId)) throw new DeliveryError('not-found', 'endpoint not found')
    const delivery = record.deliveries.find((one) => one.endpointId === endpointId)
    const courier = delivery && this.#couriers.get(delivery)
    return courier ?? this.#address(record, endpointId, 'failed')
  }

  #address(record: MessageRecord, endpointId: string, state: 'pending' | 'failed'): Courier {
    const delivery: OpenDelivery = { endpointId, state, attempts: [], attemptsUnderWay: 0 }
    const randomness = this.#randomness.fork(`${record.ordinal} ${endpointId}`)
    const courier = new Courier(this.#depot, this.#routeTo(endpointId), record, delivery, randomness)
    record.deliveries.push(delivery)
    this.#couriers.set(delivery, courier)
    return courier
  }

  #routeTo(endpointId: string): Route {
    const known = this.#routes.get(endpointId)
    if (known) return known
    const route = { lane: new Lane(this.#connectionsPerEndpoint), overtaking: new Overtaking(this.#clock) }
    this.#routes.set(endpointId, route)
    return route
  }

  *#allDeliveries(): Iterable<OpenDelivery> {
    for (const { deliveries } of this.#log.records) yield* deliveries
  }

  /** Listeners are called when the change is complete, and what they throw is theirs. */
  #tell({ message }: MessageRecord): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener(message))
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new DeliveryError('closed', 'deliveries are closed')
  }
}
