import { createContextKey } from '@connectrpc/connect'
import { requireKnownNames } from '@scalekit-scim/core/internal'
import { z } from 'zod'
import { type Rule, requireRule, requireRules, shareRule } from '../option-rules.ts'
import type { Randomness } from '../randomness.ts'

/** The frequency of a fault: a share of the calls (0 to 1), or conditions. */
export type ApiFaultRule = number | ApiFaultCondition

/** The conditions of a fault. The fault affects only calls that meet all given conditions. */
export interface ApiFaultCondition {
  /** @default 1 */
  share?: number
  /** The name of the affected calls, such as `listDirectoryUsers`. @default all calls */
  method?: string
  /** The number of the affected page of a listing. The first page is 1. @default all pages */
  page?: number
  /** The number of the affected call, from 1 for the first call after the faults are set. @default all calls */
  call?: number
  /** The largest number of times that the fault occurs. With 1, a retry succeeds. @default no limit */
  times?: number
}

/** The faults of the API. @default none */
export interface ApiFaults {
  /** The call fails with Unavailable. The SDK retries such a call. */
  unavailable?: ApiFaultRule
  resourceExhausted?: ApiFaultRule
  internal?: ApiFaultRule
  deadlineExceeded?: ApiFaultRule
  canceled?: ApiFaultRule
  /** The simulator resets the TCP connection before the answer. All calls on the connection fail. */
  resetConnection?: ApiFaultRule
  /** The call makes its change, but ends without an answer. */
  cutCall?: ApiFaultRule
  /** The delay of a call. @default 0 */
  latencyMs?: number
  /** The share of calls that `latencyMs` delays. @default 1 (all calls) */
  slow?: ApiFaultRule
  /** `POST /oauth/token` answers 503. */
  tokenFailure?: ApiFaultRule
  /**
   * A page contains its own token as the token of the next page. So a reader reads the same page again and again.
   */
  repeatToken?: ApiFaultRule
  /** A page is empty, although more pages follow. The listing lacks the items of the empty page. */
  emptyPage?: ApiFaultRule
  /** A page does not report a next page, although more items exist. So a reader misses the remaining items. */
  truncateWalk?: ApiFaultRule
  /** `totalSize` is too high by one. */
  wrongTotal?: ApiFaultRule
  /** `totalSize` differs on each page. */
  movingTotal?: ApiFaultRule
  /**
   * Listings are sorted by the last change. So a changed item moves to another page while a client reads the pages.
   * @default false
   */
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

/** The properties of a call that conditions refer to. */
type CallProperties = Pick<ApiFaultCondition, 'method' | 'page' | 'call'>

/** Returns whether a fault affects the current call. */
export const strikesKey = createContextKey<(name: ApiFaultName) => boolean>(() => false)

/** Chooses the faults of each call. The choice depends on the seed. */
export class ApiFaultDraw {
  readonly #randomness: Randomness
  /** The source of random numbers of each fault, and the number of its occurrences. The faults are independent. */
  readonly #draws = new Map<ApiFaultName, { source: Randomness; strikes: number }>()
  #faults: ApiFaults = {}
  #calls = 0

  constructor(randomness: Randomness, faults: ApiFaults = {}) {
    this.#randomness = randomness
    this.set(faults)
  }

  get faults(): Readonly<ApiFaults> {
    return this.#faults
  }

  /**
   * Replaces all faults. Restarts the counts and the random numbers, so that the same calls have the same faults again.
   */
  set(faults: ApiFaults): void {
    this.#faults = { slow: 1, ...checked(faults) }
    this.#calls = 0
    this.#draws.clear()
  }

  nextCall(): number {
    return ++this.#calls
  }

  strikes(name: ApiFaultName, call: CallProperties = {}): boolean {
    const rule = this.#faults[name]
    if (rule === undefined) return false
    const condition: ApiFaultCondition = typeof rule === 'number' ? { share: rule } : rule
    const { share = 1, times = Infinity } = condition
    const isMatch = (['method', 'page', 'call'] as const).every(
      (property) => condition[property] === undefined || condition[property] === call[property],
    )
    const draw = this.#draws.get(name) ?? { source: this.#randomness.fork(name), strikes: 0 }
    this.#draws.set(name, draw)
    if (!isMatch || draw.strikes >= times || !draw.source.chance(share)) return false
    draw.strikes++
    return true
  }
}

const positive: Rule = [z.int().min(1), 'a whole number, 1 or more']
const conditionRules: Readonly<Record<keyof ApiFaultCondition, Rule>> = {
  share: shareRule,
  method: [z.string(), "the name of a call, such as 'listDirectoryUsers'"],
  page: positive,
  call: positive,
  times: [z.int().min(0), 'a whole number, 0 or more'],
}
const latencyRule: Rule = [z.number().min(0), 'a number, 0 or more']
const orderRule: Rule = [z.boolean(), 'true or false']

/** @throws ConfigurationError for an unknown fault or an invalid rule */
function checked(faults: ApiFaults): ApiFaults {
  const path = 'faults.api'
  requireKnownNames(faults, [...faultNames, 'latencyMs', 'orderByUpdate'], path)
  const { latencyMs, orderByUpdate, ...rules } = faults
  requireRule(latencyMs, latencyRule, `${path}.latencyMs`)
  requireRule(orderByUpdate, orderRule, `${path}.orderByUpdate`)
  for (const [name, rule] of Object.entries(rules)) {
    if (typeof rule === 'number') requireRule(rule, shareRule, `${path}.${name}`)
    else if (rule !== undefined) requireRules(rule, conditionRules, `${path}.${name}`)
  }
  return faults
}
