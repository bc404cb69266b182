import type { Clock, ScimEvent } from '@scalekit-scim/core'
import { Activity } from '../activity.ts'
import { Listeners } from '../listeners.ts'
import { messageId, type Randomness } from '../randomness.ts'
import { type DeliveryContext, DeliveryTask, MessageRecord } from './delivery-task.ts'
import { EndpointQueue } from './endpoint-queue.ts'
import { Endpoints } from './endpoints.ts'
import { requireFaults, type WebhookFaults } from './faults.ts'
import { MessageLog, maxPending, maxReplyBytes } from './message-log.ts'
import { type Attempt, type AttemptTrigger, DeliveryError, type Message } from './messages.ts'
import type { StoredDeliveries, StoredMessage } from './stored.ts'
import { WebhookClient } from './webhook-client.ts'

export interface DeliveriesOptions {
  clock: Clock
  randomness: Randomness
  /** How much a wait can differ from the schedule, as a share of the wait. @default 0.2 */
  retryJitterShare?: number
  faults?: WebhookFaults
  /** How long an attempt waits for the whole answer, in real time. @default 10 */
  attemptDeadlineSeconds?: number
  /** The largest number of attempts to one endpoint at the same time. @default 64 */
  connectionsPerEndpoint?: number
  /** How many finished messages the log stores. @default 10 000 */
  keptMessages?: number
  /** An additional certificate authority (PEM), for https endpoints with private certificates. */
  certificateAuthority?: string
}

/** The largest number of copies. The limit of connections for each endpoint does not apply to copies. */
const maxCopies = 100

/** Scalekit's webhooks: endpoints, pending messages, and the log of all attempts. */
export class Deliveries extends Endpoints {
  readonly #context: DeliveryContext
  readonly #queues = new Map<string, EndpointQueue>()
  readonly #connectionsPerEndpoint: number
  readonly #log: MessageLog
  readonly #listeners = new Listeners<[Message]>()
  #sent = 0
  #hasWarned = false

  constructor(options: DeliveriesOptions) {
    const { clock, randomness, certificateAuthority, attemptDeadlineSeconds = 10 } = options
    super(clock, randomness.fork('endpoints'))
    this.#connectionsPerEndpoint = options.connectionsPerEndpoint ?? 64
    this.#log = new MessageLog(options.keptMessages ?? 10_000)
    this.#context = {
      clock,
      randomness: randomness.fork('messages'),
      retryJitterShare: options.retryJitterShare ?? 0.2,
      endpointOf: (id) => this.endpoint(id),
      client: new WebhookClient(attemptDeadlineSeconds * 1000, certificateAuthority),
      activity: new Activity(),
      faults: requireFaults(options.faults ?? {}),
      isClosed: false,
      changed: (record, attempt) => this.#recordChanged(record, attempt),
    }
  }

  /** Removes an endpoint, and ends its pending deliveries as failed. @throws DeliveryError 'not-found' */
  override removeEndpoint(id: string): void {
    super.removeEndpoint(id)
    for (const task of this.#tasks()) {
      if (task.endpointId === id) task.giveUp('the endpoint was removed')
    }
    this.#queues.delete(id)
  }

  // ── Messages ──

  /** All pending messages and the newest finished messages. The newest message is last. */
  get messages(): Message[] {
    return Array.from(this.#log.records, ({ message }) => message)
  }

  message(id: string): Message | undefined {
    return this.#log.get(id)?.message
  }

  /**
   * Sends an event to all endpoints that receive its type. If more than 100,000 messages are pending, the deliveries
   * of the oldest message fail.
   * @throws DeliveryError 'closed'
   */
  send(event: ScimEvent): Message {
    this.#requireOpen()
    const { clock, randomness } = this.#context
    const ordinal = ++this.#sent
    const createdAtMs = clock.now()
    const id = messageId(createdAtMs, ordinal, randomness.fork(`id ${ordinal}`))
    const record = new MessageRecord(ordinal, id, event, createdAtMs)
    const receiving = this.endpoints.filter(({ types }) => !types || types.includes(event.type))
    const tasks = receiving.map((endpoint) => this.#addTask(record, endpoint.id, 'pending'))
    this.#log.add(record)
    this.#giveUpExcess()
    this.#notify(record)
    for (const task of tasks) task.begin()
    return record.message
  }

  /**
   * Makes one more attempt to each endpoint of the message. With `endpointId`, makes an attempt to only that endpoint,
   * which can be new. Does not retry failed attempts.
   * @throws DeliveryError 'not-found', 'closed'
   */
  async replay(messageId: string, endpointId?: string): Promise<Attempt[]> {
    return this.#attempt('replay', messageId, endpointId)
  }

  /**
   * Like `replay`, but makes `copies` attempts at the same time. @throws DeliveryError 'not-found', 'invalid', 'closed'
   */
  async duplicate(messageId: string, copies = 2, endpointId?: string): Promise<Attempt[]> {
    if (!Number.isInteger(copies) || copies < 1 || copies > maxCopies) {
      throw new DeliveryError('invalid', `copies must be a whole number from 1 to ${maxCopies}`)
    }
    return this.#attempt('duplicate', messageId, endpointId, copies)
  }

  /** Like `replay`, but signs the attempt with another secret. @throws DeliveryError 'not-found', 'closed' */
  async forge(messageId: string, endpointId?: string): Promise<Attempt[]> {
    return this.#attempt('forge', messageId, endpointId)
  }

  /**
   * Calls the listener after each change to a message. Returns a function that stops the calls. An error in the
   * listener becomes an uncaught exception.
   */
  onChange(listener: (message: Message) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Resolves when no attempt is running or queued. Does not wait for attempts that are scheduled for later. */
  idle(): Promise<void> {
    return this.#context.activity.idle()
  }

  get faults(): WebhookFaults {
    return this.#context.faults
  }

  /** Sets the faults for all later messages and attempts. @throws ConfigurationError */
  set faults(faults: WebhookFaults) {
    this.#context.faults = requireFaults(faults)
  }

  // ── Start and end ──

  /** Returns the endpoints with their secrets, and the pending messages, but not the log of attempts. */
  export(): StoredDeliveries {
    const messages = Array.from(this.#log.records, stored)
    return {
      ...this.exportEndpoints(),
      sent: this.#sent,
      messages: messages.filter(({ deliveries }) => deliveries.length > 0),
    }
  }

  /**
   * Continues from the `export` of an earlier run. Makes the attempts that became due between the runs. Repeats
   * the attempts that the end of the earlier run interrupted.
   */
  restore(stored: StoredDeliveries): void {
    this.restoreEndpoints(stored)
    this.#sent = stored.sent
    for (const { ordinal, id, event, createdAtMs, deliveries } of stored.messages) {
      const record = new MessageRecord(ordinal, id, event, createdAtMs)
      for (const { endpointId, ...progress } of deliveries) {
        this.#addTask(record, endpointId, 'pending').resume(progress)
      }
      this.#log.add(record)
      this.#giveUpExcess()
    }
  }

  /** Does not start more attempts. Resolves when all running attempts have ended. */
  async close(): Promise<void> {
    this.#context.isClosed = true
    for (const task of this.#tasks()) task.stop()
    await this.idle()
    this.#context.client.close()
  }

  #addTask(record: MessageRecord, endpointId: string, state: 'pending' | 'failed'): DeliveryTask {
    const { clock } = this.#context
    const queue = this.#queues.get(endpointId) ?? new EndpointQueue(clock, this.#connectionsPerEndpoint)
    this.#queues.set(endpointId, queue)
    const task = new DeliveryTask(this.#context, queue, record, endpointId, state)
    record.deliveries.push(task)
    return task
  }

  async #attempt(
    trigger: Exclude<AttemptTrigger, 'schedule'>,
    messageId: string,
    endpointId?: string,
    copies = 1,
  ): Promise<Attempt[]> {
    this.#requireOpen()
    const record = this.#log.get(messageId)
    if (!record) throw new DeliveryError('not-found', 'message not found')
    const taskTo = (id: string) => record.deliveries.find((task) => task.endpointId === id)
    const endpoints =
      endpointId === undefined ? this.endpoints.filter(({ id }) => taskTo(id)) : [this.endpoint(endpointId)]
    const attempts = endpoints.map((endpoint) => {
      // A new delivery has the state 'failed' until an attempt succeeds.
      const task = taskTo(endpoint.id) ?? this.#addTask(record, endpoint.id, 'failed')
      return task.attempt(endpoint, trigger, copies)
    })
    return (await Promise.all(attempts)).flat()
  }

  #recordChanged(record: MessageRecord, attempt?: Attempt): void {
    this.#log.update(record, attempt?.response?.body.length)
    if (attempt) this.#giveUpExcess()
    this.#notify(record)
  }

  /** Ends the oldest messages as failed. So an endpoint that fails for a long time does not use all memory. */
  #giveUpExcess(): void {
    for (let record = this.#log.excessPending; record; record = this.#log.excessPending) {
      for (const task of record.deliveries) task.giveUp('too many messages are pending')
      if (this.#hasWarned) continue
      this.#hasWarned = true
      const count = maxPending.toLocaleString('en')
      const megabytes = maxReplyBytes / 1024 / 1024
      process.emitWarning(
        `More than ${count} webhook messages, or more than ${megabytes} MB of replies, are pending in the simulator. The simulator stops sending the oldest messages. The state of their deliveries is "failed". You can replay these messages. Is your endpoint running?`,
      )
    }
  }

  /** Calls the listeners after the change is complete, because a listener can make further changes. */
  #notify({ message }: MessageRecord): void {
    queueMicrotask(() => this.#listeners.call(message))
  }

  *#tasks(): Iterable<DeliveryTask> {
    for (const { deliveries } of this.#log.records) yield* deliveries
  }

  #requireOpen(): void {
    if (this.#context.isClosed) throw new DeliveryError('closed', 'deliveries are closed')
  }
}

function stored({ ordinal, message: { id, event, createdAtMs }, deliveries }: MessageRecord): StoredMessage {
  const pending = deliveries
    .filter(({ state }) => state === 'pending')
    .map(({ endpointId, progress }) => ({ endpointId, ...progress }))
  return { ordinal, id, event, createdAtMs, deliveries: pending }
}
