import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Handlers } from '../events/handlers.ts'
import type { OutcomeReport } from '../events/outcome.ts'
import { handlerNames } from '../events/router.ts'
import type { Store } from '../ledger/open-ledger.ts'
import type { SecretOption } from '../verification/secrets.ts'

/** The path in Scalekit's own examples. */
export const defaultPath = '/webhooks/scalekit'

/** The options of `createDispatcher`. */
export interface DispatcherOptions extends Handlers {
  /**
   * The store of messages and watermarks: a Keyv, your own ledger, or `'memory'` for this process's memory.
   * @default this process's memory, with a warning if NODE_ENV is production
   */
  store?: Store | undefined
  /**
   * A prefix of all keys. If two applications share a store, each application needs its own namespace, because a
   * message has the same id at each endpoint. All instances of one application use the same namespace.
   * @default the Keyv's own namespace, or 'default' for a Keyv without a namespace
   */
  namespace?: string | undefined
  /**
   * The guarantee that the store must have. 'atomic': across all processes. 'process': at least within this process. If
   * the store's guarantee is weaker, a ConfigurationError is thrown.
   * @default no requirement
   */
  requireGuarantee?: 'atomic' | 'process' | undefined
  /**
   * - 'resource': events of one resource run one at a time. Older events are superseded.
   * - 'none': events of one resource can run at the same time and in any order.
   *
   * @default 'resource'
   */
  ordering?: 'resource' | 'none' | undefined
  /**
   * How long a crashed process blocks its message, in seconds. After that time, another process can begin the message.
   * While a handler runs, the dispatcher renews the lease after each third of this time.
   * @default 12. The sender's second attempt runs from 5 s to 14 s. So after a crash, the second attempt can run the
   * handler.
   */
  leaseSeconds?: number | undefined
  /**
   * How long a handler may run, in seconds. After that time, the handler's signal aborts, and the dispatcher no longer
   * renews the lease.
   * @default 600
   */
  handlerTimeoutSeconds?: number | undefined
  /**
   * How long a message counts as done, in seconds.
   * @default 345600 (4 days). This time covers 33 h of retries and a manual replay after a weekend.
   */
  retentionSeconds?: number | undefined
  /**
   * How long a resource's watermark is stored, in seconds. The watermark of a deleted resource is stored for the same
   * time.
   * @default 3024000 (35 days). The time is long, because events from the sender's archive arrive late.
   */
  watermarkRetentionSeconds?: number | undefined
  /**
   * How long each call to the store may take, in seconds. If a call takes longer, the sender gets a 503 and tries
   * again.
   * @default 2. With this limit, the handler has most of the time until the deadline.
   */
  storeTimeoutSeconds?: number | undefined
  /**
   * pino, `console`, Fastify's logger, or an object with any of the methods `debug`, `info`, `warn` and `error`.
   * `false` logs nothing.
   * @default warnings and errors on the console; in Fastify, `request.log`
   */
  logger?: Partial<Logger> | false | undefined
  /**
   * The dispatcher calls this function once for each attempt and each `dispatch()`. If a handler ends after its
   * deadline, the dispatcher calls the function again, with `late`. The dispatcher ignores errors of this function.
   */
  onOutcome?: ((report: OutcomeReport) => void) | undefined
  /** The clock and the timers, for tests. */
  clock?: Clock | undefined
}

/** The options of `createReceiver`. */
export interface ReceiverOptions extends DispatcherOptions {
  /**
   * The endpoint's signing secret (`whsec_…`). During a rotation, pass a list of secrets. For several environments,
   * pass a function that returns the secrets for a request. If you pass `undefined`, a ConfigurationError is thrown,
   * because the name of an environment variable is probably misspelt.
   * @default process.env.SCALEKIT_WEBHOOK_SECRET
   */
  secret?: SecretOption
  /**
   * The largest accepted body, in bytes.
   * @default 1048576. Events are a few kB long.
   */
  bodyLimitBytes?: number | undefined
  /**
   * The largest accepted difference between the attempt's timestamp and this process's clock, in seconds.
   * @default 300, as in Standard Webhooks
   */
  toleranceSeconds?: number | undefined
  /**
   * Seconds from the arrival of the request's headers to the answer. A slower handler continues to run. After the
   * handler succeeds, the sender's retry is a duplicate.
   * @default 9. Scalekit waits 10 s.
   */
  deadlineSeconds?: number | undefined
}

export interface NumberRule {
  default: number
  min: number
  max: number
}

const day = 86_400

export const dispatcherNumbers = {
  leaseSeconds: { default: 12, min: 0.05, max: 3600 },
  handlerTimeoutSeconds: { default: 600, min: 0.05, max: 7 * day },
  retentionSeconds: { default: 4 * day, min: 1, max: 3650 * day },
  watermarkRetentionSeconds: { default: 35 * day, min: 1, max: 3650 * day },
  storeTimeoutSeconds: { default: 2, min: 0.01, max: 60 },
} as const satisfies Record<string, NumberRule>

export const receiverNumbers = {
  bodyLimitBytes: { default: 1_048_576, min: 1, max: 1_073_741_824 },
  toleranceSeconds: { default: 300, min: 1, max: 7 * day },
  deadlineSeconds: { default: 9, min: 0.05, max: 60 },
} as const satisfies Record<string, NumberRule>

/** How long Scalekit waits for an answer. */
export const senderTimeoutSeconds = 10

export const dispatcherOptionNames: readonly string[] = [
  ...handlerNames,
  ...Object.keys(dispatcherNumbers),
  'on',
  'store',
  'namespace',
  'requireGuarantee',
  'ordering',
  'logger',
  'onOutcome',
  'clock',
]
export const receiverOptionNames = [...dispatcherOptionNames, ...Object.keys(receiverNumbers), 'secret']
