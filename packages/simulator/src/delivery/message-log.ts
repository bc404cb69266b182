import type { ScimEvent } from '@scalekit-scim/core'
import type { Delivery, Message } from './messages.ts'

/** What is shown to all, and written here alone. */
export type OpenDelivery = { -readonly [Field in keyof Delivery]: Delivery[Field] }

/** A message, and what is needed to send it. */
export class MessageRecord {
  readonly message: Message
  readonly deliveries: OpenDelivery[]
  /** Its place in the run: the same in each run of a seed, while the id has the time in it. */
  readonly ordinal: number
  /** What the log holds of it beside its body. */
  loggedBytes = 0
  #body: string | undefined

  constructor(ordinal: number, id: string, event: ScimEvent, createdAtMs: number) {
    this.ordinal = ordinal
    this.deliveries = []
    this.message = { id, event, createdAtMs, deliveries: this.deliveries }
  }

  /** The bytes are the same for all attempts and endpoints; one that waits for its first attempt has none yet. */
  get body(): string {
    this.#body ??= JSON.stringify(this.message.event)
    return this.#body
  }

  get isFinished(): boolean {
    return this.deliveries.every(({ state }) => state !== 'pending')
  }
}

export interface MessageLogLimits {
  /** How many finished messages are kept. */
  finished: number
  /** What their replies may hold in all. */
  bytes: number
}

/** All messages that are under way, and the newest of those that are finished. */
export class MessageLog {
  readonly #limits: MessageLogLimits
  readonly #records = new Map<string, MessageRecord>()
  readonly #finished = new Set<MessageRecord>()
  #finishedBytes = 0

  constructor(limits: MessageLogLimits) {
    this.#limits = limits
  }

  /** In the order in which they were sent. */
  get records(): Iterable<MessageRecord> {
    return this.#records.values()
  }

  get(id: string): MessageRecord | undefined {
    return this.#records.get(id)
  }

  add(record: MessageRecord): void {
    this.#records.set(record.message.id, record)
    this.noteChange(record)
  }

  /** To be called when a delivery's state, or what is logged of it, has changed. */
  noteChange(record: MessageRecord, moreBytes = 0): void {
    if (!this.#records.has(record.message.id)) return
    if (this.#finished.delete(record)) this.#finishedBytes -= record.loggedBytes
    record.loggedBytes += moreBytes
    if (!record.isFinished) return
    this.#finished.add(record)
    this.#finishedBytes += record.loggedBytes
    this.#dropOldest()
  }

  #dropOldest(): void {
    for (const record of this.#finished) {
      const isWithin =
        this.#finished.size <= this.#limits.finished && this.#finishedBytes <= this.#limits.bytes
      if (isWithin || this.#finished.size === 1) return
      this.#finished.delete(record)
      this.#finishedBytes -= record.loggedBytes
      this.#records.delete(record.message.id)
    }
  }
}
