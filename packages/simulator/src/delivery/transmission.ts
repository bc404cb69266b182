import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@scalekit-scim/core'
import type { Randomness } from '../randomness.ts'
import type { Endpoint } from './endpoints.ts'
import type { FaultName, StruckFaults } from './faults.ts'
import type { MessageRecord } from './message-log.ts'
import type { Attempt, AttemptTrigger } from './messages.ts'
import type { Answer, Outgoing, Sender } from './sender.ts'
import { corrupted, signedHeaders } from './signing.ts'

/** One attempt that is to be made. */
export interface Transmission {
  endpoint: Endpoint
  record: MessageRecord
  number: number
  trigger: AttemptTrigger
  faults: StruckFaults
  randomness: Randomness
}

export interface Transmitted {
  attempt: Attempt
  timedOut: boolean
}

/** Signs and sends one attempt, as its faults have it. */
export async function transmit(
  transmission: Transmission,
  clock: Clock,
  sender: Sender,
): Promise<Transmitted> {
  // Who makes 100 000 changes in one go lets nobody read an answer meanwhile: no deadline runs before the end of that.
  await setImmediate()
  const startedAtMs = clock.now()
  const outgoing = prepare(transmission, startedAtMs)
  const answer = await sender.send(outgoing)
  return { attempt: attemptOf(transmission, startedAtMs, outgoing, answer), timedOut: answer.timedOut }
}

function prepare(transmission: Transmission, startedAtMs: number): Outgoing {
  const { endpoint, record, trigger, faults, randomness } = transmission
  const whole = Buffer.from(record.body)
  const signed = signedHeaders({
    messageId: record.message.id,
    body: whole,
    secrets: trigger === 'forge' ? [forgersSecret(randomness)] : endpoint.secrets,
    atMs: startedAtMs + (faults.clockSkew?.seconds ?? 0) * 1000,
  })
  if (faults.corruptSignature) signed['webhook-signature'] = corrupted(String(signed['webhook-signature']))

  const { truncate, slow } = faults
  const keptBytes = truncate ? Math.floor(whole.length * (truncate.keepShare ?? 0.5)) : whole.length
  const looksComplete = truncate?.contentLength === 'short'
  const body = looksComplete ? whole.subarray(0, keptBytes) : whole
  return {
    url: endpoint.url,
    headers: {
      'user-agent': 'scalekit-scim-simulator',
      accept: '*/*',
      ...signed,
      'content-length': String(body.length),
    },
    body,
    cutAfterBytes: truncate && !looksComplete ? keptBytes : undefined,
    overMs: slow && slow.seconds * 1000,
  }
}

function attemptOf(
  { record, number, trigger, faults }: Transmission,
  startedAtMs: number,
  { headers, body, cutAfterBytes = body.length }: Outgoing,
  { response, error, durationMs }: Answer,
): Attempt {
  const isWhole = cutAfterBytes === body.length && faults.truncate === undefined
  return {
    number,
    trigger,
    startedAtMs,
    durationMs: Math.round(durationMs),
    // The whole body is one string for all attempts; a log of 10 000 messages holds each once.
    request: { headers, body: isWhole ? record.body : body.subarray(0, cutAfterBytes).toString() },
    ...(response ? { response } : {}),
    ...(error === undefined ? {} : { error }),
    faults: [...(trigger === 'forge' ? ['forge' as const] : []), ...struckNames(faults)],
  }
}

const names = [
  'drop',
  'delay',
  'duplicate',
  'reorder',
  'corruptSignature',
  'clockSkew',
  'truncate',
  'slow',
] as const satisfies readonly FaultName[]

function struckNames(faults: StruckFaults): FaultName[] {
  return names.filter((name) => faults[name] !== undefined)
}

function forgersSecret(randomness: Randomness): string {
  const drawn = randomness.fork('forger')
  return `whsec_${Buffer.from(Array.from({ length: 24 }, () => drawn.below(256))).toString('base64')}`
}
