import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { signDelivery } from '@scalekit-scim/core/testing'

export interface Message {
  messageId: string
  event: object
}

/** The result of one attempt. Times are those of the machine's monotonic clock. */
export interface Attempt {
  /** `undefined` if the connection broke, or if the answer was late. */
  status: number | undefined
  outcome: string
  sentNs: bigint
  answeredNs: bigint
}

export interface SentMessage extends Message {
  attempts: Attempt[]
}

interface SenderOptions {
  /** The address of the next attempt. */
  target: () => Promise<string>
  /** The wait before each attempt. The sender drops the message after the last attempt. */
  waitsMs: readonly number[]
  /** The time limit for an answer. Scalekit's time limit is about 10 s. */
  timeoutMs?: number
}

/** Scalekit's first waits, a hundred times faster, and then one attempt every two seconds. */
export const fastWaitsMs = [0, 50, 500, ...Array.from({ length: 30 }, () => 2000)]

/** Delivers as Scalekit does: signs each attempt, counts only 200 and 201, and retries after each failure. */
export class Sender {
  readonly #options: Required<SenderOptions>
  readonly #agent = new Agent({ keepAlive: true })

  constructor(options: SenderOptions) {
    this.#options = { timeoutMs: 10_000, ...options }
  }

  async send(message: Message): Promise<SentMessage> {
    const attempts: Attempt[] = []
    for (const waitMs of this.#options.waitsMs) {
      if (waitMs > 0) await sleep(waitMs)
      const attempt = await this.#attempt(message)
      attempts.push(attempt)
      if (isDelivered(attempt)) break
    }
    return { ...message, attempts }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #attempt({ messageId, event }: Message): Promise<Attempt> {
    const url = await this.#options.target()
    const { method, headers, body } = signDelivery(event, { messageId })
    const sentNs = process.hrtime.bigint()
    return new Promise((resolve) => {
      const end = (status: number | undefined, outcome: string) => {
        clearTimeout(timer)
        resolve({ status, outcome, sentNs, answeredNs: process.hrtime.bigint() })
      }
      const sent = request(url, { method, headers, agent: this.#agent }, (response) => {
        const answeredBy = String(response.headers['scalekit-scim-outcome'])
        response.on('error', () => end(undefined, 'broken'))
        response.on('end', () => end(response.statusCode, answeredBy))
        response.resume()
      })
      const timer = setTimeout(() => {
        end(undefined, 'timed-out')
        sent.destroy()
      }, this.#options.timeoutMs)
      sent.on('error', () => end(undefined, 'broken'))
      sent.end(body)
    })
  }
}

export function isDelivered({ status }: Attempt): boolean {
  return status === 200 || status === 201
}

/** Returns the first answer that counts as delivered. */
export function deliveryOf({ attempts }: SentMessage): Attempt | undefined {
  return attempts.find(isDelivered)
}

export function tally(attempts: Iterable<Attempt>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of attempts) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Runs the work for each item, with at most `limit` items at a time. */
export async function inParallel<Item, Result>(
  limit: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const entries = items.entries()
  const worker = async () => {
    for (const [index, item] of entries) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}
