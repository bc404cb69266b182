import type { KeyObject } from 'node:crypto'
import { callBack } from '../base/call-back.ts'
import type { Clock } from '../base/clock.ts'
import { ConfigurationError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { createRouter, handlerNames, type Router } from '../events/handlers.ts'
import type { OutcomeReport } from '../events/outcome.ts'
import { listenToStore } from '../ledger/error-hints.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { openLedger, type Store } from '../ledger/open-ledger.ts'
import { resolveSecret } from '../verification/secrets.ts'
import {
  choiceOption,
  clockOption,
  invalid,
  loggerOption,
  namespaceOption,
  numberOption,
  requireKnownNames,
} from './option-checks.ts'
import {
  type DispatcherOptions,
  dispatcherOptionNames,
  numbers,
  type ReceiverOptions,
  receiverOptionNames,
  senderWaitsSeconds,
} from './options.ts'

/** What a dispatcher runs on: every option checked, every default in place. */
export interface DispatcherConfiguration {
  route: Router
  ledger: Ledger
  closeLedger(): void
  /** Of what the store's client complained of a moment ago. */
  storeTrouble(): string | undefined
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
  const log = loggerOption(options.logger)
  const receiving = {
    secretsFor: resolveSecret(options, log),
    bodyLimitBytes: numberOption('bodyLimitBytes', options.bodyLimitBytes, numbers.bodyLimitBytes),
    toleranceSeconds: numberOption('toleranceSeconds', options.toleranceSeconds, numbers.toleranceSeconds),
    deadlineSeconds: numberOption('deadlineSeconds', options.deadlineSeconds, numbers.deadlineSeconds),
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
  const log = loggerOption(options.logger)
  const seconds = {
    leaseSeconds: numberOption('leaseSeconds', options.leaseSeconds, numbers.leaseSeconds),
    handlerTimeoutSeconds: numberOption(
      'handlerTimeoutSeconds',
      options.handlerTimeoutSeconds,
      numbers.handlerTimeoutSeconds,
    ),
    retentionSeconds: numberOption('retentionSeconds', options.retentionSeconds, numbers.retentionSeconds),
    watermarkRetentionSeconds: numberOption(
      'watermarkRetentionSeconds',
      options.watermarkRetentionSeconds,
      numbers.watermarkRetentionSeconds,
    ),
    storeTimeoutSeconds: numberOption(
      'storeTimeoutSeconds',
      options.storeTimeoutSeconds,
      numbers.storeTimeoutSeconds,
    ),
  }
  if (seconds.storeTimeoutSeconds > seconds.leaseSeconds / 2) {
    throw invalid(
      'storeTimeoutSeconds',
      'must be at most half of `leaseSeconds`, so that a lease can be renewed in time',
    )
  }
  const ordering = choiceOption('ordering', options.ordering, ['resource', 'none']) ?? 'resource'
  const required = choiceOption('requireGuarantee', options.requireGuarantee, ['atomic', 'process'])
  const namespace = namespaceOption(options.namespace)
  const clock = clockOption(options.clock)
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

  const { ledger, close } = openLedger({
    ...seconds,
    store: options.store,
    namespace,
    clock,
    log,
  })
  try {
    judgeGuarantee(ledger, required, options.store, log)
  } catch (error) {
    close()
    throw error
  }
  const listener = listenToStore(options.store, clock)
  const closeLedger = () => {
    listener.stop()
    close()
  }
  return {
    ...seconds,
    route,
    ledger,
    closeLedger,
    storeTrouble: listener.lastCode,
    ordering,
    log,
    clock,
    report: (report) => callBack(options.onOutcome, report),
  }
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
