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

export interface MessageLogLimit {
  count: number
  /** What their replies may hold in all. */
  bytes: number
}

/** Messages in the order in which they were put there, and what is logged of them. */
class Shelf {
  readonly #limit: MessageLogLimit
  readonly #bytesOf = new Map<MessageRecord, number>()
  #bytes = 0

  constructor(limit: MessageLogLimit) {
    this.#limit = limit
  }

  /** Keeps its place if it has one. */
  put(record: MessageRecord): void {
    this.#bytes += record.loggedBytes - (this.#bytesOf.get(record) ?? 0)
    this.#bytesOf.set(record, record.loggedBytes)
  }

  take(record: MessageRecord): void {
    this.#bytes -= this.#bytesOf.get(record) ?? 0
    this.#bytesOf.delete(record)
  }

  /** The oldest one, if it has to go. One may stay, whatever its size. */
  get excess(): MessageRecord | undefined {
    const { size } = this.#bytesOf
    if (size <= 1 || (size <= this.#limit.count && this.#bytes <= this.#limit.bytes)) return undefined
    const [oldest] = this.#bytesOf.keys()
    return oldest
  }
}

/** All messages that are under way, and the newest of those that are finished. */
export class MessageLog {
  readonly #records = new Map<string, MessageRecord>()
  readonly #pending: Shelf
  readonly #finished: Shelf

  constructor(limits: { pending: MessageLogLimit; finished: MessageLogLimit }) {
    this.#pending = new Shelf(limits.pending)
    this.#finished = new Shelf(limits.finished)
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
    record.loggedBytes += moreBytes
    this.#finished.take(record)
    if (!record.isFinished) {
      this.#pending.put(record)
      return
    }
    this.#pending.take(record)
    this.#finished.put(record)
    for (let oldest = this.#finished.excess; oldest; oldest = this.#finished.excess) {
      this.#finished.take(oldest)
      this.#records.delete(oldest.message.id)
    }
  }

  /** The oldest message under way, if there are more of them than the log can hold. */
  get excessPending(): MessageRecord | undefined {
    return this.#pending.excess
  }
}
