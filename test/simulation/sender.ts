import type { ReceiveResult } from '@scalekit-scim/core'
import { type SignedDelivery, signDelivery } from '@scalekit-scim/core/testing'
import type { Fleet, Instance } from './fleet.ts'
import type { Message } from './messages.ts'
import type { Plan } from './plan.ts'
import type { Attempt, HistoryRecord } from './record.ts'
import type { Stream } from './stream.ts'
import { startMs, type World } from './world.ts'

/** The waits before each attempt: Scalekit's schedule in docs/reference/outcomes.md. */
const waitsMs = [0, 5000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000]
const senderTimeoutMs = 10_000

interface Scene {
  world: World
  plan: Pick<Plan, 'sender' | 'clockOffsetsMs'>
  record: HistoryRecord
  fleet: Pick<Fleet, 'pick'>
  isQuiet: () => boolean
}

/** Scalekit: sends each message until an attempt gets 200 or 201. */
export class Sender {
  /** Messages that need more attempts. */
  readonly open = new Set<Message>()
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  schedule(message: Message): void {
    const { isDispatched, atMs } = message.plan
    if (!isDispatched) this.open.add(message)
    this.#scene.world.schedule(atMs, () => (isDispatched ? this.#dispatch(message) : this.#send(message, 0)))
  }

  /** The application passes an event of its own to `dispatch()`. */
  #dispatch(message: Message): void {
    const { world, fleet } = this.#scene
    const { process, receiver, isClosing } = fleet.pick(world.stream('dispatch'), false)
    if (!process.isAlive || isClosing) return
    const attempt = this.#attempt(message, process, true)
    const dispatch = async () => {
      world.story.tell(() => `${process.name} dispatches ${message.id}`)
      const { outcome } = await receiver.dispatch(message.event, { idempotencyKey: message.id })
      this.#note(attempt, outcome)
    }
    world.schedule(0, () => void dispatch().catch((error) => this.#reject(attempt, error)), process)
  }

  #send(message: Message, number: number, isCopy = false): void {
    const { world, plan, fleet, isQuiet } = this.#scene
    const random = world.stream(`attempt ${message.id} ${number}`)
    const instance = fleet.pick(random, isQuiet())
    const happens = (share: number) => random.happens(share) && !isQuiet()
    const end = this.#endOf(message, number, isCopy, random)
    world.schedule(senderTimeoutMs, () => end('timed out'))
    const flightMs = random.spread(0.3, 40)
    const isRefused = happens(plan.sender.refused)
    if (isRefused || !instance.process.isAlive) world.schedule(flightMs, () => end('refused'))
    else {
      world.story.tell(() => `sender: ${shown(message, number, isCopy)} to ${instance.process.name}`)
      instance.process.onDeath(() => world.schedule(random.spread(0.5, 50), () => end('connection lost')))
      const isLost = happens(plan.sender.lostReplies)
      const bodyMs = happens(plan.sender.slowBodies) ? random.spread(10, 15_000) : 0
      const delivery = signDelivery(message.event, {
        messageId: message.id,
        at: new Date(startMs + world.nowMs + plan.clockOffsetsMs.sender),
      })
      const arrive = async () => {
        const reply = await this.#deliver(message, instance, delivery, bodyMs)
        if (reply && !isLost) world.schedule(random.spread(0.3, 40), () => end(reply.status))
      }
      world.schedule(flightMs, () => void arrive(), instance.process)
    }
    const copies = !isCopy && happens(plan.sender.copies)
    if (copies) world.schedule(random.spread(0.5, 8000), () => this.#send(message, number, true))
  }

  /** Returns a function that ends the attempt, and schedules the next one. Only the first call counts. */
  #endOf(message: Message, number: number, isCopy: boolean, random: Stream): (end: number | string) => void {
    const { world } = this.#scene
    let hasEnded = isCopy
    return (end) => {
      if (hasEnded) return
      hasEnded = true
      world.story.tell(() => `sender: ${shown(message, number, isCopy)} → ${end}`)
      const waitMs = waitsMs[number + 1]
      if (end === 200 || end === 201 || waitMs === undefined) this.open.delete(message)
      else world.schedule(waitMs * random.real(0.8, 1.2), () => this.#send(message, number + 1))
    }
  }

  async #deliver(
    message: Message,
    { process, receiver }: Instance,
    { method, headers, body: bytes }: SignedDelivery,
    bodyMs: number,
  ): Promise<ReceiveResult | undefined> {
    const attempt = this.#attempt(message, process, false)
    const slowBody = async () => {
      await process.sleep(bodyMs)
      return bytes
    }
    try {
      const body = bodyMs > 0 ? slowBody : bytes
      const reply = await receiver.receive({ method, url: '/webhooks', headers, body })
      this.#note(attempt, reply.outcome)
      attempt.status = reply.status
      attempt.body = reply.body
      return reply
    } catch (error) {
      this.#reject(attempt, error)
      return undefined
    }
  }

  #attempt(message: Message, process: Instance['process'], isDispatch: boolean): Attempt {
    const { world, record } = this.#scene
    const attempt: Attempt = {
      message,
      process,
      arrivedMs: world.nowMs,
      repliedMs: Number.POSITIVE_INFINITY,
      isDispatch,
    }
    record.attempts.push(attempt)
    return attempt
  }

  #note(attempt: Attempt, outcome: ReceiveResult['outcome']): void {
    const { world } = this.#scene
    attempt.repliedMs = world.nowMs
    attempt.outcome = outcome
    world.story.tell(() => `  ${attempt.process.name} answers ${attempt.message.id}: ${outcome}`)
  }

  #reject({ message, process }: Attempt, error: unknown): void {
    const { world, record } = this.#scene
    const detail = `${message.id} on ${process.name}: ${error}`
    record.violations.push({ invariant: 'never rejects', atMs: world.nowMs, detail })
  }
}

function shown({ id, resource, plan, occurredAt }: Message, number: number, isCopy: boolean): string {
  const what = resource === undefined ? plan.change : `${resource} ${plan.change} ${occurredAt}`
  return `${id} (${what}) attempt ${number + 1}${isCopy ? ', a copy' : ''}`
}
