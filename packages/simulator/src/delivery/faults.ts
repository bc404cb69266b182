import { requireKnownNames } from '@scalekit-scim/core/internal'
import { z } from 'zod'
import { type Rule, required, requireRules, shareRule } from '../option-rules.ts'
import type { Randomness } from '../randomness.ts'

export interface Fault {
  /** The share of messages or attempts with the fault, from 0 to 1. */
  share: number
}

/**
 * The faults of deliveries, and their frequency. The simulator chooses the first four faults once for each message and
 * endpoint. The simulator chooses the other faults for each scheduled attempt.
 *
 * A choice depends only on the seed, the sequence number of the message, the endpoint and the attempt. So you can
 * repeat a run. The share of one fault does not change the choice of other faults.
 */
export interface WebhookFaults {
  /** The simulator never sends the message. */
  drop?: Fault
  /** The first attempt waits for `seconds`. */
  delay?: Fault & { seconds: number }
  /** The simulator sends several copies of the first attempt at the same time. */
  duplicate?: Fault & {
    /** The number of copies in total. @default 2 */
    copies?: number
  }
  /**
   * Later messages arrive before this message. The first attempt of this message waits for the first attempts of the
   * next messages to the same endpoint. Messages that are dropped, delayed or reordered do not count.
   */
  reorder?: Fault & {
    /** The number of later messages that arrive before this message. @default 1 */
    past?: number
    /** The longest wait. @default 60 */
    atMostSeconds?: number
  }
  /** The simulator sends a wrong signature. */
  corruptSignature?: Fault
  /**
   * The time in the signature differs from the clock by this number of seconds. A negative number is a time in the
   * past.
   */
  clockSkew?: Fault & { seconds: number }
  /** The simulator does not send the end of the body. */
  truncate?: Fault & {
    /** The share of the body that the simulator sends. @default 0.5 */
    keepShare?: number
    /**
     * With `full`, `content-length` is the full length, so the connection ends before the end of the body. With
     * `short`, `content-length` is the length of the sent part, so the body looks complete. @default 'full'
     */
    contentLength?: 'full' | 'short'
  }
  /**
   * The simulator sends the body piece by piece over this real time. If the time is longer than the deadline of an
   * attempt, the attempt fails.
   */
  slow?: Fault & { seconds: number }
}

/** A fault of an attempt. `forge` is the wrong signature of the method `forge`. */
export type FaultName = keyof WebhookFaults | 'forge'

export const messageFaultNames = ['drop', 'delay', 'duplicate', 'reorder'] as const
export const attemptFaultNames = ['corruptSignature', 'clockSkew', 'truncate', 'slow'] as const
export const faultNames = [...messageFaultNames, ...attemptFaultNames] as const

/** Returns the named faults that occur. Each fault has its own source of random numbers. */
export function drawFaults(
  names: readonly (keyof WebhookFaults)[],
  faults: WebhookFaults,
  randomness: Randomness,
): WebhookFaults {
  const drawn = names.filter((name) => randomness.fork(name).chance(faults[name]?.share ?? 0))
  return Object.fromEntries(drawn.map((name) => [name, faults[name]]))
}

const count: Rule = [z.int().min(1).max(1000), 'a whole number from 1 to 1000']
const duration: Rule = [z.number().min(0), 'a number, 0 or more']

/** The settings of each fault, without the share. */
const settings: Record<keyof WebhookFaults, Readonly<Record<string, Rule>>> = {
  drop: {},
  delay: { seconds: required(duration) },
  duplicate: { copies: count },
  reorder: { past: count, atMostSeconds: duration },
  corruptSignature: {},
  clockSkew: { seconds: required([z.number(), 'a number']) },
  truncate: { keepShare: shareRule, contentLength: [z.enum(['full', 'short']), "'full' or 'short'"] },
  slow: { seconds: required(duration) },
}

/**
 * Checks the faults, because callers in JavaScript can pass values that the types exclude. @throws ConfigurationError
 */
export function requireFaults(faults: WebhookFaults): WebhookFaults {
  const path = 'faults.webhooks'
  requireKnownNames(faults, faultNames, path)
  for (const name of faultNames) {
    const fault = faults[name]
    const rules = { share: required(shareRule), ...settings[name] }
    if (fault !== undefined) requireRules(fault, rules, `${path}.${name}`)
  }
  return faults
}
