import type { KeyObject } from 'node:crypto'
import { type Clock, systemClock } from './clock.ts'
import { ConfigurationError } from './errors.ts'
import { createRouter, type Handlers, handlerNames, type Router } from './handlers.ts'
import type { Ledger } from './ledger/ledger.ts'
import { openLedger, type Store } from './ledger/open-ledger.ts'
import { completeLogger, type Logger } from './logger.ts'
import type { OutcomeReport } from './outcome.ts'
import { resolveSecret, type SecretOption } from './secrets.ts'

/** Where Scalekit's own examples put the endpoint. */
export const defaultPath = '/webhooks/scalekit'

/** For adapters. @throws ConfigurationError unless `path` is an absolute path, or `false` */
export function requirePath(path: unknown): void {
  if (path === false || (typeof path === 'string' && /^\/[^?#\s]*$/.test(path))) return
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    "`path` must be a path such as '/webhooks/scalekit', without host or query, or `false`.",
    'path',
  )
}

export interface DispatcherOptions extends Handlers {
  /**
   * Where messages and resources are remembered. A Keyv, a ledger of your own, or `'memory'`, which says that this
   * process's memory is meant.
   * @default this process's memory, with one warning where NODE_ENV is production
   */
  store?: Store | undefined
  /**
   * Prefixes every key. Two applications on one store must differ: a message has the same id at every endpoint that
   * gets it. The instances of one application share it on purpose.
   * @default the Keyv's own namespace where one was set, else 'default'
   */
  namespace?: string | undefined
  /**
   * Refuses to start on a store that promises less: 'atomic' over all processes, or 'process' within this one.
   * @default none
   */
  requireGuarantee?: 'atomic' | 'process' | undefined
  /**
   * 'resource': events of one resource run one at a time, and older ones are superseded. 'none': neither.
   * @default 'resource'
   */
  ordering?: 'resource' | 'none' | undefined
  /**
   * Seconds until the message of a process that died may be begun again; renewed every third while a handler runs.
   * @default 12 — the sender's second attempt comes at 5 s and waits to 14 s, so that it heals a crash
   */
  leaseSeconds?: number | undefined
  /**
   * Seconds until a handler that does not end is given up: its signal aborts and its lease runs out.
   * @default 600
   */
  handlerTimeoutSeconds?: number | undefined
  /**
   * Seconds that a done message stays known.
   * @default 345600 (4 days) — beyond the 33 h of retries, and a manual replay after the weekend
   */
  retentionSeconds?: number | undefined
  /**
   * Seconds that the newest time applied to a resource stays known, also after its deletion.
   * @default 3024000 (35 days) — recoveries from the sender's archive come late
   */
  watermarkRetentionSeconds?: number | undefined
  /**
   * Seconds that the store has for one answer; without one the attempt is answered 503, and tried again.
   * @default 2 — leaves the handler most of the deadline
   */
  storeTimeoutSeconds?: number | undefined
  /**
   * pino, `console`, Fastify's, or anything with some of their four methods; `false` for silence.
   * @default warnings and errors on the console; in Fastify, `request.log`
   */
  logger?: Partial<Logger> | false | undefined
  /** Called once for each attempt and each `dispatch()`. What it throws is ignored. */
  onOutcome?: ((report: OutcomeReport) => void) | undefined
  /** The time and the timers, for tests. */
  clock?: Clock | undefined
}

export interface ReceiverOptions extends DispatcherOptions {
  /**
   * The endpoint's signing secret, `whsec_…`; several while one is rotated; or a function that finds them by request.
   * The key present but `undefined` is an error: it is how a misspelt environment variable looks.
   * @default process.env.SCALEKIT_WEBHOOK_SECRET
   */
  secret?: SecretOption
  /**
   * Bytes of body that are read at most.
   * @default 1048576 — events are a few kB
   */
  bodyLimitBytes?: number | undefined
  /**
   * Seconds between the attempt's timestamp and our clock that are accepted, either way.
   * @default 300 — Standard Webhooks
   */
  toleranceSeconds?: number | undefined
  /**
   * Seconds from the request's headers to our answer. A handler that takes longer goes on, and the retry finds it done.
   * @default 9 — Scalekit waits for 10
   */
  deadlineSeconds?: number | undefined
}

interface NumberRule {
  default: number
  least: number
  most: number
}

const day = 86_400
const numbers = {
  leaseSeconds: { default: 12, least: 0.05, most: 3600 },
  handlerTimeoutSeconds: { default: 600, least: 0.05, most: 7 * day },
  retentionSeconds: { default: 4 * day, least: 1, most: 3650 * day },
  watermarkRetentionSeconds: { default: 35 * day, least: 1, most: 3650 * day },
  storeTimeoutSeconds: { default: 2, least: 0.01, most: 60 },
  bodyLimitBytes: { default: 1_048_576, least: 1, most: 1_073_741_824 },
  toleranceSeconds: { default: 300, least: 1, most: 7 * day },
  deadlineSeconds: { default: 9, least: 0.05, most: 60 },
} as const satisfies Record<string, NumberRule>

/** Scalekit gives up on an answer after this. */
const senderWaitsSeconds = 10

const dispatcherOptionNames: readonly string[] = [
  ...handlerNames,
  'on',
  'store',
  'namespace',
  'requireGuarantee',
  'ordering',
  'leaseSeconds',
  'handlerTimeoutSeconds',
  'retentionSeconds',
  'watermarkRetentionSeconds',
  'storeTimeoutSeconds',
  'logger',
  'onOutcome',
  'clock',
]
const receiverOptionNames: readonly string[] = [
  ...dispatcherOptionNames,
  'secret',
  'bodyLimitBytes',
  'toleranceSeconds',
  'deadlineSeconds',
]

/** What a dispatcher runs on: every option checked, every default in place. */
export interface DispatcherConfiguration {
  route: Router
  ledger: Ledger
  closeLedger(): void
  ordering: 'resource' | 'none'
  leaseSeconds: number
  handlerTimeoutSeconds: number
  retentionSeconds: number
  watermarkRetentionSeconds: number
  storeTimeoutSeconds: number
  log: Logger
  report(report: OutcomeReport): void
  clock: Clock
}

/** What a receiver runs on beside its dispatcher's. */
export interface ReceiverConfiguration extends DispatcherConfiguration {
  secretsFor: SecretsFor
  bodyLimitBytes: number
  toleranceSeconds: number
  deadlineSeconds: number
}

export type SecretsFor = ReturnType<typeof resolveSecret>
export type SigningKeys = readonly KeyObject[]

export function configureDispatcher(options: DispatcherOptions): DispatcherConfiguration {
  requireKnownNames(options, dispatcherOptionNames)
  return configure(options)
}

export function configureReceiver(options: ReceiverOptions): ReceiverConfiguration {
  requireKnownNames(options, receiverOptionNames)
  const log = completeLogger(options.logger)
  const receiving = {
    secretsFor: resolveSecret(options, log),
    bodyLimitBytes: numberOption(options, 'bodyLimitBytes'),
    toleranceSeconds: numberOption(options, 'toleranceSeconds'),
    deadlineSeconds: numberOption(options, 'deadlineSeconds'),
  }
  if (receiving.deadlineSeconds >= senderWaitsSeconds) {
    log.warn(
      { deadlineSeconds: receiving.deadlineSeconds },
      'Scalekit waits for 10 s: set `deadlineSeconds` below that',
    )
  }
  // Last, because it takes the namespace: a mistake above must not keep it.
  return { ...configure(options), ...receiving }
}

function configure(options: DispatcherOptions): DispatcherConfiguration {
  const log = completeLogger(options.logger)
  const seconds = {
    leaseSeconds: numberOption(options, 'leaseSeconds'),
    handlerTimeoutSeconds: numberOption(options, 'handlerTimeoutSeconds'),
    retentionSeconds: numberOption(options, 'retentionSeconds'),
    watermarkRetentionSeconds: numberOption(options, 'watermarkRetentionSeconds'),
    storeTimeoutSeconds: numberOption(options, 'storeTimeoutSeconds'),
  }
  if (seconds.storeTimeoutSeconds > seconds.leaseSeconds / 2) {
    throw invalid(
      'storeTimeoutSeconds',
      'must be at most half of `leaseSeconds`, so that a lease can be renewed in time',
    )
  }
  const ordering = choiceOption('ordering', options.ordering, ['resource', 'none']) ?? 'resource'
  const required = choiceOption('requireGuarantee', options.requireGuarantee, ['atomic', 'process'])
  const namespace = namespaceOption(options)
  const clock = options.clock ?? systemClock
  if (options.onOutcome !== undefined && typeof options.onOutcome !== 'function') {
    throw invalid('onOutcome', 'must be a function')
  }
  const route = createRouter(options)
  if (!handlerNames.some((name) => options[name]) && Object.keys(options.on ?? {}).length === 0) {
    log.warn(
      {},
      'no handler is given: every event is answered 201 and nothing is done. Begin with `onUserUpserted`',
    )
  }

  const { ledger, close: closeLedger } = openLedger({
    ...seconds,
    store: options.store,
    namespace,
    clock,
    log,
  })
  try {
    judgeGuarantee(ledger, required, options.store, log)
  } catch (error) {
    closeLedger()
    throw error
  }
  return { ...seconds, route, ledger, closeLedger, ordering, log, clock, report: safely(options.onOutcome) }
}

function judgeGuarantee(
  { guarantee }: Ledger,
  required: 'atomic' | 'process' | undefined,
  store: Store | undefined,
  log: Logger,
): void {
  const rank = { 'best-effort': 0, process: 1, atomic: 2 }
  const least = rank[guarantee.message] < rank[guarantee.order] ? guarantee.message : guarantee.order
  if (required && rank[least] < rank[required]) {
    throw new ConfigurationError(
      'ERR_SCIM_GUARANTEE',
      `This store's guarantee is '${least}', and \`requireGuarantee\` asks for '${required}'. ` +
        'See the table of stores in the README for one that gives it.',
      'requireGuarantee',
    )
  }
  if (least === 'best-effort' && store !== undefined) {
    log.warn(
      guarantee,
      'this store cannot claim a message atomically: two instances may both process it. One instance is exact',
    )
  }
}

/** Rejects names that are not known, with the one that was probably meant. */
export function requireKnownNames(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError('ERR_SCIM_INVALID_OPTION', 'The options must be an object.')
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    throw new ConfigurationError(
      'ERR_SCIM_UNKNOWN_OPTION',
      `There is no option \`${name}\`${meant ? `; did you mean \`${meant}\`?` : '.'}`,
      name,
    )
  }
}

function numberOption<Name extends keyof typeof numbers>(
  options: { [K in Name]?: unknown },
  name: Name,
): number {
  const rule: NumberRule = numbers[name]
  const value = options[name]
  if (value === undefined) return rule.default
  if (typeof value === 'number' && value >= rule.least && value <= rule.most) return value
  throw invalid(name, `must be a number from ${rule.least} to ${rule.most}`)
}

function choiceOption<Choice extends string>(
  name: string,
  value: Choice | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined || choices.includes(value)) return value
  throw invalid(name, `must be ${choices.map((choice) => `'${choice}'`).join(' or ')}`)
}

function namespaceOption({ namespace }: DispatcherOptions): string | undefined {
  // Braces would end the hash tag that keeps a namespace's keys on one node of a Redis cluster.
  if (
    namespace === undefined ||
    (typeof namespace === 'string' && /^[^\s{}\p{Cc}\p{Cs}]{1,64}$/u.test(namespace))
  ) {
    return namespace
  }
  throw invalid('namespace', 'must be 1 to 64 characters, without white space or braces')
}

function invalid(name: string, problem: string): ConfigurationError {
  return new ConfigurationError('ERR_SCIM_INVALID_OPTION', `\`${name}\` ${problem}.`, name)
}

function safely(onOutcome: DispatcherOptions['onOutcome']): (report: OutcomeReport) => void {
  return (report) => {
    try {
      const returned: unknown = onOutcome?.(report)
      if (returned instanceof Promise) returned.catch(() => {})
    } catch {}
  }
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const scored = known.map((candidate) => ({
    candidate,
    edits: editDistance(name.toLowerCase(), candidate.toLowerCase()),
  }))
  const best = scored.reduce((a, b) => (b.edits < a.edits ? b : a))
  return best.edits <= Math.max(2, name.length / 4) ? best.candidate : undefined
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replace, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
