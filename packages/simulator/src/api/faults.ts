import { z } from 'zod'
import { type Rule, requireRule, requireRules } from '../option-rules.ts'
import type { Randomness } from '../randomness.ts'

/** How often a fault strikes: a share of the calls (0 to 1), or a condition. */
export type ApiFaultRule = number | ApiFaultCondition

/** All that is given must hold. */
export interface ApiFaultCondition {
  /** @default 1 */
  share?: number
  /** A call of this name alone, such as `listDirectoryUsers`. */
  method?: string
  /** This page of a listing alone; the first is 1. */
  page?: number
  /** This call alone; the first after the faults were set is 1. */
  call?: number
  /** No more often than this. A fault that is to be healed by a retry has 1. @default no limit */
  times?: number
}

/** What goes wrong on the API's side. With none of them nothing does. */
export interface ApiFaults {
  /** The SDK tries these again by itself. */
  unavailable?: ApiFaultRule
  resourceExhausted?: ApiFaultRule
  internal?: ApiFaultRule
  deadlineExceeded?: ApiFaultRule
  canceled?: ApiFaultRule
  /** The TCP connection is reset before the answer, and every call on it fails. */
  resetConnection?: ApiFaultRule
  /** The call is cut off when its answer is due: what it asked for has been done. */
  cutCall?: ApiFaultRule
  /** How long a call is held back. @default 0 */
  latencyMs?: number
  /** Which calls are held back. @default 1: each */
  slow?: ApiFaultRule
  /** `POST /oauth/token` answers 503. */
  tokenFailure?: ApiFaultRule
  /** The next page's token is this page's: a reader that trusts it never ends. */
  repeatToken?: ApiFaultRule
  /** A page has nobody on it, though there are more after it; those that belong on it are passed over. */
  emptyPage?: ApiFaultRule
  /** A page has no next one, though there are more: a reader that trusts it misses the rest. */
  truncateWalk?: ApiFaultRule
  /** `totalSize` is one too many. */
  wrongTotal?: ApiFaultRule
  /** `totalSize` is another on each page. */
  movingTotal?: ApiFaultRule
  /** Pages are in the order of the last change, so that whoever changes moves while a reader walks. @default false */
  orderByUpdate?: boolean
}

const faultNames = [
  'unavailable',
  'resourceExhausted',
  'internal',
  'deadlineExceeded',
  'canceled',
  'resetConnection',
  'cutCall',
  'slow',
  'tokenFailure',
  'repeatToken',
  'emptyPage',
  'truncateWalk',
  'wrongTotal',
  'movingTotal',
] as const satisfies readonly (keyof ApiFaults)[]

export type ApiFaultName = (typeof faultNames)[number]

/** What is known of the call that a fault may strike. */
export interface Occasion {
  method?: string
  page?: number
  call?: number
}

/** Decides by the seed which call is struck by what. */
export class ApiFaultDraw {
  readonly #randomness: Randomness
  readonly #streams = new Map<ApiFaultName, Randomness>()
  readonly #struck = new Map<ApiFaultName, number>()
  #faults: ApiFaults = {}
  #calls = 0

  constructor(randomness: Randomness, faults: ApiFaults = {}) {
    this.#randomness = randomness
    this.set(faults)
  }

  get faults(): Readonly<ApiFaults> {
    return this.#faults
  }

  /** Replaces all faults. Counting and drawing begin anew, so that the same faults strike the same calls again. */
  set(faults: ApiFaults): void {
    this.#faults = { slow: 1, ...checked(faults) }
    this.#calls = 0
    this.#streams.clear()
    this.#struck.clear()
  }

  nextCall(): number {
    this.#calls++
    return this.#calls
  }

  strikes(name: ApiFaultName, occasion: Occasion = {}): boolean {
    const rule = this.#faults[name]
    if (rule === undefined) return false
    const { share = 1, times = Infinity, ...where } = typeof rule === 'number' ? { share: rule } : rule
    const { method, page, call }: ApiFaultCondition = where
    if (method !== undefined && method !== occasion.method) return false
    if (page !== undefined && page !== occasion.page) return false
    if (call !== undefined && call !== occasion.call) return false
    const struck = this.#struck.get(name) ?? 0
    if (struck >= times || !this.#stream(name).chance(share)) return false
    this.#struck.set(name, struck + 1)
    return true
  }

  /** One source of draws for each fault: setting another does not move this one's. */
  #stream(name: ApiFaultName): Randomness {
    const stream = this.#streams.get(name) ?? this.#randomness.fork(name)
    this.#streams.set(name, stream)
    return stream
  }
}

const share: Rule = [z.number().min(0).max(1), 'a number from 0 to 1']
const place: Rule = [z.int().min(1), 'a whole number, 1 or more']
const conditionRules: Readonly<Record<keyof ApiFaultCondition, Rule>> = {
  share,
  method: [z.string(), "the name of a call, such as 'listDirectoryUsers'"],
  page: place,
  call: place,
  times: [z.int().min(0), 'a whole number, 0 or more'],
}
const otherRules: Readonly<Record<Exclude<keyof ApiFaults, ApiFaultName>, Rule>> = {
  latencyMs: [z.number().min(0), 'a number, 0 or more'],
  orderByUpdate: [z.boolean(), 'true or false'],
}

/** @throws ConfigurationError for a fault that there is not, or a rule that is none */
function checked(faults: ApiFaults): ApiFaults {
  const path = 'faults.api'
  const anything = Object.fromEntries(faultNames.map((name): [string, Rule] => [name, [z.unknown(), '']]))
  requireRules(faults, { ...anything, ...otherRules }, path)
  for (const name of faultNames) {
    const rule = faults[name]
    if (typeof rule === 'number') requireRule(rule, share, `${path}.${name}`)
    else if (rule !== undefined) requireRules(rule, conditionRules, `${path}.${name}`)
  }
  return faults
}
