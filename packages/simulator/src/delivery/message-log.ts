import type { MessageRecord } from './delivery-task.ts'

/** A reply has at most 64 kB. A message has eight attempts. Without a limit, 10,000 messages could take 5 GB. */
export const maxReplyBytes = 256 * 1024 * 1024

/** A pending message with its attempts takes about 8 kB. So 100,000 messages take 800 MB. */
export const maxPending = 100_000

/** Messages in the order of their addition, and the size of their logged replies. */
class BoundedRecords {
  readonly #maxCount: number
  readonly #bytesOf = new Map<MessageRecord, number>()
  #bytes = 0

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  /** Adds a record, or updates its size. The update of a record does not change its place. */
  put(record: MessageRecord): void {
    this.#bytes += record.loggedBytes - (this.#bytesOf.get(record) ?? 0)
    this.#bytesOf.set(record, record.loggedBytes)
  }

  remove(record: MessageRecord): void {
    this.#bytes -= this.#bytesOf.get(record) ?? 0
    this.#bytesOf.delete(record)
  }

  /** If the records exceed a limit, returns the oldest record. A single record can exceed the limit. */
  get excess(): MessageRecord | undefined {
    const { size } = this.#bytesOf
    if (size <= 1 || (size <= this.#maxCount && this.#bytes <= maxReplyBytes)) return undefined
    const [oldest] = this.#bytesOf.keys()
    return oldest
  }
}

/** All pending messages, and the newest finished messages. */
export class MessageLog {
  readonly #records = new Map<string, MessageRecord>()
  readonly #pending = new BoundedRecords(maxPending)
  readonly #finished: BoundedRecords

  constructor(maxFinished: number) {
    this.#finished = new BoundedRecords(maxFinished)
  }

  /** The records, in the order of sending. */
  get records(): Iterable<MessageRecord> {
    return this.#records.values()
  }

  get(id: string): MessageRecord | undefined {
    return this.#records.get(id)
  }

  add(record: MessageRecord): void {
    this.#records.set(record.message.id, record)
    this.update(record)
  }

  /** Updates the log after a change to a delivery's state or to the logged replies. */
  update(record: MessageRecord, addedBytes = 0): void {
    if (!this.#records.has(record.message.id)) return
    record.loggedBytes += addedBytes
    this.#finished.remove(record)
    if (!record.isFinished) {
      this.#pending.put(record)
      return
    }
    this.#pending.remove(record)
    this.#finished.put(record)
    for (let oldest = this.#finished.excess; oldest; oldest = this.#finished.excess) {
      this.#finished.remove(oldest)
      this.#records.delete(oldest.message.id)
    }
  }

  /** If the pending messages exceed a limit, returns the oldest message. */
  get excessPending(): MessageRecord | undefined {
    return this.#pending.excess
  }
}
