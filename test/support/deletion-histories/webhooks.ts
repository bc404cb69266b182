import type { DirectoryEvent, Dispatcher, DispatchOutcomeName } from '@scalekit-scim/core'
import type { VirtualTime } from './virtual-time.ts'

interface Webhook {
  key: string
  event: DirectoryEvent
  dueMs: number
}

const retryMs = 30 * 60_000
const settled: ReadonlySet<DispatchOutcomeName> = new Set(['processed', 'duplicate', 'stale', 'dropped'])

/** The webhooks that are not delivered yet. A failed webhook is sent again half an hour later. */
export class Webhooks {
  readonly #time: VirtualTime
  #waiting: Webhook[] = []
  #count = 0
  readonly #running = new Set<Promise<void>>()

  constructor(time: VirtualTime) {
    this.#time = time
  }

  add(event: DirectoryEvent, dueMs: number): void {
    this.#waiting.push({ key: `msg_${++this.#count}`, event, dueMs })
  }

  /** Sends the due webhooks to a process, without waiting for the answers. */
  send(dispatcher: Dispatcher): void {
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= this.#time.nowMs)
    this.#waiting = this.#waiting.filter((webhook) => !due.includes(webhook))
    for (const webhook of due) {
      const run = this.#deliver(webhook, dispatcher).finally(() => this.#running.delete(run))
      this.#running.add(run)
    }
  }

  /** Resolves when all sent webhooks have been answered. */
  async answered(): Promise<void> {
    await this.#time.settle(Promise.allSettled(this.#running))
  }

  /** Makes all webhooks due. */
  hurry(): void {
    for (const webhook of this.#waiting) webhook.dueMs = this.#time.nowMs
  }

  async #deliver(webhook: Webhook, dispatcher: Dispatcher): Promise<void> {
    const { event, key } = webhook
    const { outcome } = await dispatcher.dispatch(event, { source: 'webhook', idempotencyKey: key })
    if (!settled.has(outcome)) this.#waiting.push({ ...webhook, dueMs: this.#time.nowMs + retryMs })
  }
}
