import type { Ledger } from '@scalekit-scim/core'
import { median, ratios, roundsOr } from '../measure.ts'
import { progress, publish, type Row, type Verdict } from '../report.ts'

export const few = 10_000
export const many = 3_000_000
/** The loaded rows have this token, of the same length as a token of the ledger. */
export const loadedToken = 'loaded_token_0000000000'
export const retention = { retentionSeconds: 345_600, watermarkRetentionSeconds: 3_024_000 }
export const loadedAt = '1767603600000000000'
const rounds = roundsOr(9)
const warmUpRounds = 2
const callsPerRound = 200
const limitRatio = 1.25

/** Ids have the length of real ids. As real ids, later ids are greater. */
export const messageIdOf = (index: number) => `msg_${String(index).padStart(27, '0')}`
export const resourceOf = (index: number) => `user:org_64373838838:diruser_${String(index).padStart(18, '0')}`
export const count = (value: number) => value.toLocaleString('en-US')

/** A ledger with a number of stored messages and resources. */
export interface Loaded {
  size: number
  ledger: Ledger
}

/** Requires that the ledger recognizes a loaded message and the watermark of a loaded resource. */
export async function requireLoaded({ ledger, size }: Loaded): Promise<void> {
  for (const index of [0, size >> 1, size - 1]) {
    const claim = { token: 'check', resource: resourceOf(index), deletion: false, leaseSeconds: 12 }
    const known = await ledger.begin({ ...claim, messageId: messageIdOf(index) })
    if (known.state !== 'duplicate') throw new Error(`a loaded message was ${known.state}`)
    const older = String(BigInt(loadedAt) - 1n)
    const stale = await ledger.begin({ ...claim, messageId: 'check', occurredAt: older })
    if (stale.state !== 'stale') throw new Error(`an event older than a loaded resource was ${stale.state}`)
  }
}

const verbs = ['begin', 'commit'] as const
type Times = Record<(typeof verbs)[number], number[]>
const noTimes = (): Times => ({ begin: [], commit: [] })

/** Measures begin and commit of new messages about loaded resources. The calls of both ledgers alternate. */
export async function compare(store: string, both: readonly Loaded[], note: string): Promise<void> {
  const p50s = new Map(both.map(({ size }) => [size, noTimes()]))
  let serial = 0
  for (let round = -warmUpRounds; round < rounds; round++) {
    progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`)
    const times = new Map(both.map(({ size }) => [size, noTimes()]))
    for (let call = 0; call < callsPerRound; call++, serial++) {
      for (const { size, ledger } of both) await beginAndCommit(ledger, size, serial, times.get(size))
    }
    if (round < 0) continue
    for (const [size, took] of times) {
      for (const verb of verbs) p50s.get(size)?.[verb].push(median(took[verb]) * 1000)
    }
  }

  const ratio = (verb: keyof Times) => ratios(p50s.get(many)?.[verb] ?? [], p50s.get(few)?.[verb] ?? [])
  const [fewMessages, manyMessages] = [few, many].map((size) => `p50, ${count(size)}`) as [string, string]
  publish({
    title: `${store}: stored messages and resources, ${rounds} rounds of ${callsPerRound} calls in sequence`,
    notes: [note],
    columns: [
      { name: fewMessages, unit: 'µs', digits: 1 },
      { name: manyMessages, unit: 'µs', digits: 1 },
      { name: 'ratio', unit: '×', digits: 2 },
    ],
    rows: verbs.map(
      (verb): Row => ({
        name: verb,
        cells: {
          [fewMessages]: p50s.get(few)?.[verb] ?? [],
          [manyMessages]: p50s.get(many)?.[verb] ?? [],
          ratio: ratio(verb),
        },
      }),
    ),
    verdicts: verbs.map(
      (verb): Verdict => ({
        name: `${store}, p50 of ${verb}, ${count(many)} / ${count(few)}`,
        values: ratio(verb),
        limit: limitRatio,
      }),
    ),
  })
}

/** A prime number, so that the calls visit resources all over the table. */
const stride = 1_299_709

async function beginAndCommit(ledger: Ledger, size: number, serial: number, times = noTimes()) {
  const messageId = messageIdOf(size + serial)
  const resource = resourceOf((serial * stride) % size)
  const claim = { token: `measured_token_${serial}`, messageId, resource, deletion: false }
  const from = performance.now()
  const answer = await ledger.begin({ ...claim, leaseSeconds: 12 })
  const begunAt = performance.now()
  if (answer.state !== 'begun') throw new Error(`the benchmark's own message was ${answer.state}`)
  const { fence, occurredAt } = answer
  if ((await ledger.commit({ ...claim, fence, occurredAt }, retention)) !== 'ok') throw new Error('lost')
  times.begin.push(begunAt - from)
  times.commit.push(performance.now() - begunAt)
}

/**
 * Runs the work, and then cleans up: also after an error, and after SIGINT, SIGTERM or the end of the parent process.
 */
export async function withCleanUp(
  work: (signal: AbortSignal) => Promise<void>,
  cleanUp: () => Promise<void>,
): Promise<void> {
  const stopping = new AbortController()
  const stop = () => stopping.abort(new Error('stopped'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  process.once('disconnect', stop)
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
  try {
    await Promise.race([work(stopping.signal), stopped])
  } finally {
    if (process.connected) progress('cleaning up')
    await cleanUp()
    // Work that was stopped may still wait for a call.
    if (stopping.signal.aborted) process.exit(130)
    process.removeListener('disconnect', stop)
  }
}
