import type { Randomness } from '../randomness.ts'
import { DeliveryError } from './errors.ts'

export interface Fault {
  /** How often it strikes: 0 never, 1 always. */
  share: number
}

/**
 * What goes wrong with deliveries, and how often. The first four are drawn once for a message and an endpoint, the
 * others for each scheduled attempt. What is drawn depends on the seed, the message's place in the run, the endpoint
 * and the attempt alone, so a run can be repeated, and one fault's share does not move another's draws.
 */
export interface WebhookFaults {
  /** Never sent. */
  drop?: Fault
  /** The first attempt waits. */
  delay?: Fault & { seconds: number }
  /** The first attempt goes out in several copies at once. */
  duplicate?: Fault & {
    /** In all. @default 2 */
    copies?: number
  }
  /**
   * Overtaken: the first attempt waits for the first attempts of the next messages to that endpoint to end, of those
   * that are not themselves dropped, delayed or held.
   */
  reorder?: Fault & {
    /** How many messages overtake it. @default 1 */
    past?: number
    /** It does not wait longer for them. @default 60 */
    atMostSeconds?: number
  }
  /** The signature is changed on the way. */
  corruptSignature?: Fault
  /** The sender's clock is off by this much when it signs: ahead, or behind where negative. */
  clockSkew?: Fault & { seconds: number }
  /** The end of the body is missing. */
  truncate?: Fault & {
    /** How much of the body is sent. @default 0.5 */
    keepShare?: number
    /**
     * Whether `content-length` says the full length, and the connection is cut before the body's end, or says the
     * short one, and the body looks complete. @default 'full'
     */
    contentLength?: 'full' | 'short'
  }
  /** The body comes piece by piece over this (real) time; what takes longer than the deadline is given up. */
  slow?: Fault & { seconds: number }
}

/** What an attempt was made to suffer: a fault, or that it was forged on demand. */
export type FaultName = keyof WebhookFaults | 'forge'

/** The faults that strike one message, or one attempt. */
export type StruckFaults = { readonly [Name in keyof WebhookFaults]?: WebhookFaults[Name] | undefined }

export function drawMessageFaults(faults: WebhookFaults, randomness: Randomness): StruckFaults {
  return {
    drop: struckBy('drop', faults, randomness),
    delay: struckBy('delay', faults, randomness),
    duplicate: struckBy('duplicate', faults, randomness),
    reorder: struckBy('reorder', faults, randomness),
  }
}

export function drawAttemptFaults(faults: WebhookFaults, randomness: Randomness): StruckFaults {
  return {
    corruptSignature: struckBy('corruptSignature', faults, randomness),
    clockSkew: struckBy('clockSkew', faults, randomness),
    truncate: struckBy('truncate', faults, randomness),
    slow: struckBy('slow', faults, randomness),
  }
}

/** Each draws from a source of its own. */
function struckBy<Name extends keyof WebhookFaults>(
  name: Name,
  faults: WebhookFaults,
  randomness: Randomness,
): WebhookFaults[Name] | undefined {
  const fault = faults[name]
  return fault && randomness.fork(name).chance(fault.share) ? fault : undefined
}

const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1000
const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1
const isNumber = (value: unknown) => Number.isFinite(value)
const isDuration = (value: unknown) => isNumber(value) && Number(value) >= 0

type Checks = Record<string, (value: unknown) => boolean>

/** For each fault, each of its settings: those of a `?` may be absent. */
const settings: Record<keyof WebhookFaults, Checks> = {
  drop: {},
  delay: { seconds: isDuration },
  duplicate: { 'copies?': isCount },
  reorder: { 'past?': isCount, 'atMostSeconds?': isDuration },
  corruptSignature: {},
  clockSkew: { seconds: isNumber },
  truncate: { 'keepShare?': isShare, 'contentLength?': (value) => value === 'full' || value === 'short' },
  slow: { seconds: isDuration },
}

const settingsOf = new Map(Object.entries(settings))

/** @throws DeliveryError 'invalid': the console and files hand in what the types do not hold */
export function requireFaults(faults: WebhookFaults): WebhookFaults {
  for (const [name, fault] of Object.entries<Fault | undefined>({ ...faults })) {
    if (fault === undefined) continue
    const checks = settingsOf.get(name)
    if (!checks) throw new DeliveryError('invalid', `${name} is no fault`)
    requireSettings(name, { ...fault }, { share: isShare, ...checks })
  }
  return faults
}

function requireSettings(name: string, fault: Record<string, unknown>, checks: Checks): void {
  for (const [key, isRight] of Object.entries(checks)) {
    const setting = key.replace('?', '')
    const value = fault[setting]
    delete fault[setting]
    if (value === undefined && key.endsWith('?')) continue
    if (!isRight(value))
      throw new DeliveryError('invalid', `${name}.${setting} has no value that it can have`)
  }
  const [unknown] = Object.keys(fault)
  if (unknown !== undefined) throw new DeliveryError('invalid', `${name}.${unknown} is no setting`)
}
