import { randomUUID } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import { emptyNamespace } from './adapter.ts'
import { Fleet, type InstanceOptions, type Kill } from './fleet.ts'
import { Journal, type Run } from './journal.ts'
import { Random, seed } from './random.ts'
import { deliveryOf, fastWaitsMs, Sender, type SentMessage } from './sender.ts'

interface SceneOptions extends Pick<InstanceOptions, 'store' | 'handlerMs'> {
  /** The database server of the journal. The faults do not affect this server. */
  journalUrl: string
  processes: number
  kills?: Kill[]
  generic?: boolean
  receiver?: NonNullable<InstanceOptions['receiver']>
  waitsMs?: readonly number[]
  timeoutMs?: number
}

export interface Scene {
  journal: Journal
  fleet: Fleet
  sender: Sender
  random: Random
}

/** Creates a journal, a fleet and a sender with unique names. Removes all of them after the test. */
export async function openScene(options: SceneOptions): Promise<Scene> {
  const { journalUrl, processes, kills = [], waitsMs = fastWaitsMs, timeoutMs, ...rest } = options
  const namespace = `chaos_${randomUUID().replaceAll('-', '')}`
  const random = new Random(seed)
  const journal = new Journal(journalUrl, namespace)
  await journal.create()
  onTestFinished(() => journal.drop())
  onTestFinished(() => emptyNamespace(rest.store, namespace))
  const fleet = await Fleet.start(
    processes,
    { ...rest, namespace, journal: { url: journalUrl, schema: namespace } },
    kills,
  )
  onTestFinished(() => fleet.close())
  const target = () => fleet.target(random)
  const sender = new Sender({ target, waitsMs, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  onTestFinished(() => sender.close())
  return { journal, fleet, sender, random }
}

/** Returns the runs whose effect was committed. */
export function completed(runs: readonly Run[]): Run[] {
  return runs.filter(({ wrote }) => wrote !== undefined)
}

export function byMessage(runs: readonly Run[]): Map<string, Run[]> {
  return Map.groupBy(runs, ({ messageId }) => messageId)
}

/** Asserts that every message was delivered. Each 2xx must come after the effect of its event, or of a newer event. */
export function expectDelivered(sent: readonly SentMessage[], runs: readonly Run[]): void {
  const runsOf = byMessage(runs)
  const undelivered = sent.filter((message) => !deliveryOf(message))
  expect(undelivered.map(({ messageId, attempts }) => ({ messageId, attempts }))).toEqual([])
  const tooEarly = sent.filter((message) => {
    const answer = deliveryOf(message)
    if (answer === undefined || answer.outcome === 'stale') return false
    return !runsOf.get(message.messageId)?.some(({ endedNs }) => (endedNs ?? never) <= answer.answeredNs)
  })
  expect(tooEarly.map(({ messageId, attempts }) => ({ messageId, attempts }))).toEqual([])
}

const never = 2n ** 63n
