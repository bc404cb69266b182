import { requireKnownNames } from '@scalekit-scim/core/internal'
import { z } from 'zod'
import { type Rule, required, requireRules, shareRule } from '../option-rules.ts'
import type { Randomness } from '../randomness.ts'

export interface Fault {
  /** How often the fault strikes: 0 is never, 1 is always. */
  share: number
}

/**
 * The faults of deliveries, and how often they strike. The first four are drawn once for each message and endpoint. The
 * others are drawn for each scheduled attempt. A draw depends only on the seed, the message's number in the run, the
 * endpoint and the attempt. So a run can be repeated. The share of one fault does not change the draws of another
 * fault.
 */
export interface WebhookFaults {
  /** The message is never sent. */
  drop?: Fault
  /** The first attempt waits. */
  delay?: Fault & { seconds: number }
  /** The first attempt is sent in several copies at once. */
  duplicate?: Fault & {
    /** How many copies are sent in total. @default 2 */
    copies?: number
  }
  /**
   * Later messages overtake this message. Its first attempt waits until the first attempts of the next messages to the
   * same endpoint have ended. Messages that are themselves dropped, delayed or held do not count.
   */
  reorder?: Fault & {
    /** How many later messages overtake this message. @default 1 */
    past?: number
    /** The longest wait. @default 60 */
    atMostSeconds?: number
  }
  /** The signature is changed after signing. */
  corruptSignature?: Fault
  /** The time in the signature is this many seconds ahead, or behind if the number is negative. */
  clockSkew?: Fault & { seconds: number }
  /** The end of the body is missing. */
  truncate?: Fault & {
    /** How much of the body is sent. @default 0.5 */
    keepShare?: number
    /**
     * `full`: `content-length` is the full length, and the connection is cut before the end of the body. `short`:
     * `content-length` is the length of the part that is sent, so that the body looks complete. @default 'full'
     */
    contentLength?: 'full' | 'short'
  }
  /** The body is sent piece by piece over this real time. An attempt that takes longer than its deadline fails. */
  slow?: Fault & { seconds: number }
}

/** A fault that struck an attempt. `forge` means that the signature was forged on request. */
export type FaultName = keyof WebhookFaults | 'forge'

export const messageFaultNames = ['drop', 'delay', 'duplicate', 'reorder'] as const
export const attemptFaultNames = ['corruptSignature', 'clockSkew', 'truncate', 'slow'] as const
export const faultNames = [...messageFaultNames, ...attemptFaultNames] as const

/** Draws which of the named faults strike. Each fault is drawn from its own source. */
export function drawFaults(
  names: readonly (keyof WebhookFaults)[],
  faults: WebhookFaults,
  randomness: Randomness,
): WebhookFaults {
  const drawn = { ...faults }
  for (const name of faultNames) {
    const share = names.includes(name) ? (faults[name]?.share ?? 0) : 0
    if (share === 0 || !randomness.fork(name).chance(share)) delete drawn[name]
  }
  return drawn
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
 * Checks the values, because JavaScript and files can contain values that the types exclude. @throws ConfigurationError
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
