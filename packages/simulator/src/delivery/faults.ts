import { requireKnownNames } from '@scalekit-scim/core/internal'
import { z } from 'zod'
import { needed, type Rule, requireRules } from '../option-rules.ts'
import type { Randomness } from '../randomness.ts'

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

const count: Rule = [z.int().min(1).max(1000), 'a whole number from 1 to 1000']
const share: Rule = [z.number().min(0).max(1), 'a number from 0 to 1']
const duration: Rule = [z.number().min(0), 'a number, 0 or more']

/** For each fault, each of its settings but the share, which all have. */
const settings: Record<keyof WebhookFaults, Readonly<Record<string, Rule>>> = {
  drop: {},
  delay: { seconds: needed(duration) },
  duplicate: { copies: count },
  reorder: { past: count, atMostSeconds: duration },
  corruptSignature: {},
  clockSkew: { seconds: needed([z.number(), 'a number']) },
  truncate: { keepShare: share, contentLength: [z.enum(['full', 'short']), "'full' or 'short'"] },
  slow: { seconds: needed(duration) },
}

/** @throws ConfigurationError: JavaScript and files hand in what the types do not hold */
export function requireFaults(faults: WebhookFaults): WebhookFaults {
  const path = 'faults.webhooks'
  requireKnownNames(faults, Object.keys(settings), path)
  const values = new Map(Object.entries(faults))
  for (const [name, rules] of Object.entries(settings)) {
    const fault = values.get(name)
    if (fault !== undefined) requireRules(fault, { share: needed(share), ...rules }, `${path}.${name}`)
  }
  return faults
}
