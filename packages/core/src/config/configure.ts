import { callBack } from '../base/application-calls.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { OutcomeReport } from '../events/outcome.ts'
import { createRouter, handlerNames, type Router } from '../events/router.ts'
import type { Guarantee } from '../ledger/ledger.ts'
import type { Store } from '../ledger/open-ledger.ts'
import { resolveSecret, type SecretKeys } from '../verification/secrets.ts'
import {
  choiceOption,
  clockOption,
  invalid,
  loggerOption,
  namespaceOption,
  numberOptions,
  requireKnownNames,
} from './option-checks.ts'
import {
  type DispatcherOptions,
  dispatcherNumbers,
  dispatcherOptionNames,
  type ReceiverOptions,
  receiverNumbers,
  receiverOptionNames,
  senderTimeoutSeconds,
} from './options.ts'

type NumbersOf<Rules> = { readonly [Name in keyof Rules]: number }

/** The checked options of a dispatcher, with all defaults filled in. */
export interface DispatcherConfiguration extends NumbersOf<typeof dispatcherNumbers> {
  route: Router
  store: Store | undefined
  namespace: string | undefined
  requireGuarantee: Exclude<Guarantee, 'best-effort'> | undefined
  ordering: 'resource' | 'none'
  log: Logger
  /** Absent without `onOutcome`. */
  report: ((report: OutcomeReport) => void) | undefined
  clock: Clock
}

/** The checked options of a receiver, with all defaults filled in. */
export interface ReceiverConfiguration extends DispatcherConfiguration, NumbersOf<typeof receiverNumbers> {
  secretKeys: SecretKeys
}

/** @throws ConfigurationError if an option is wrong */
export function configureDispatcher(options: DispatcherOptions): DispatcherConfiguration {
  requireKnownNames(options, dispatcherOptionNames)
  return configure(options)
}

/** @throws ConfigurationError if an option is wrong, or no secret is set */
export function configureReceiver(options: ReceiverOptions): ReceiverConfiguration {
  requireKnownNames(options, receiverOptionNames)
  const log = loggerOption(options.logger)
  const secretKeys = resolveSecret(options, log)
  const numbers = numberOptions(options, receiverNumbers)
  const { deadlineSeconds } = numbers
  if (deadlineSeconds >= senderTimeoutSeconds) {
    log.warn(
      { deadlineSeconds },
      `Scalekit waits ${senderTimeoutSeconds} s for an answer. Set a lower \`deadlineSeconds\``,
    )
  }
  return { ...configure(options), ...numbers, secretKeys }
}

function configure(options: DispatcherOptions): DispatcherConfiguration {
  const log = loggerOption(options.logger)
  const numbers = numberOptions(options, dispatcherNumbers)
  if (numbers.storeTimeoutSeconds > numbers.leaseSeconds / 2) {
    throw invalid(
      'storeTimeoutSeconds',
      'must be at most half of `leaseSeconds`, so that a lease can be renewed in time',
    )
  }
  const { onOutcome } = options
  if (onOutcome !== undefined && typeof onOutcome !== 'function') {
    throw invalid('onOutcome', 'must be a function')
  }
  const configuration: DispatcherConfiguration = {
    ...numbers,
    store: options.store,
    namespace: namespaceOption(options.namespace),
    requireGuarantee: choiceOption('requireGuarantee', options.requireGuarantee, ['atomic', 'process']),
    ordering: choiceOption('ordering', options.ordering, ['resource', 'none']) ?? 'resource',
    clock: clockOption(options.clock),
    route: createRouter(options),
    log,
    report: onOutcome && ((report) => callBack(onOutcome, report)),
  }
  if (!handlerNames.some((name) => options[name]) && Object.keys(options.on ?? {}).length === 0) {
    log.warn({}, 'no handler is set, so all events are ignored with a 201. Start with `onUserUpserted`')
  }
  return configuration
}
