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
   * A prefix of all keys. Two applications on one store need different namespaces, because a message has the same id at
   * each endpoint. The instances of one application use the same namespace.
   * @default the Keyv's own namespace if it has one, otherwise 'default'
   */
  namespace?: string | undefined
  /**
   * The guarantee that the store must give. 'atomic': across all processes. 'process': at least within this process.
   * With a weaker store, a ConfigurationError is thrown.
   * @default no requirement
   */
  requireGuarantee?: 'atomic' | 'process' | undefined
  /**
   * 'resource': events of one resource run one at a time, and older events are superseded. 'none': neither.
   * @default 'resource'
   */
  ordering?: 'resource' | 'none' | undefined
  /**
   * Seconds until another process can begin a message whose process died. While a handler runs, the lease is renewed
   * after each third of this time.
   * @default 12. The sender's second attempt comes at 5 s and waits until 14 s, so it can take over after a crash.
   */
  leaseSeconds?: number | undefined
  /**
   * Seconds that a handler may run. Then its signal aborts and its lease is no longer renewed.
   * @default 600
   */
  handlerTimeoutSeconds?: number | undefined
  /**
   * Seconds that a message counts as done.
   * @default 345600 (4 days). Covers 33 h of retries and a manual replay after a weekend.
   */
  retentionSeconds?: number | undefined
  /**
   * Seconds that a resource's watermark is stored, also after its deletion.
   * @default 3024000 (35 days). Events that are recovered from the sender's archive arrive late.
   */
  watermarkRetentionSeconds?: number | undefined
  /**
   * Seconds that each call to the store may take. After that, the attempt is answered 503 and the sender tries again.
   * @default 2. Leaves most of the deadline to the handler.
   */
  storeTimeoutSeconds?: number | undefined
  /**
   * pino, `console`, Fastify's logger, or an object with some of their four methods. `false` logs nothing.
   * @default warnings and errors on the console; in Fastify `request.log`
   */
  logger?: Partial<Logger> | false | undefined
  /**
   * Called once for each attempt and each `dispatch()`. Called again, with `late`, if a handler ends after its deadline.
   * Its errors are ignored.
   */
  onOutcome?: ((report: OutcomeReport) => void) | undefined
  /** The time and the timers, for tests. */
  clock?: Clock | undefined
}

/** The options of `createReceiver`. */
export interface ReceiverOptions extends DispatcherOptions {
  /**
   * The endpoint's signing secret (`whsec_…`), a list of secrets during a rotation, or a function that returns them for a
   * request. If the key is present but `undefined`, a ConfigurationError is thrown: an environment variable is misspelt.
   * @default process.env.SCALEKIT_WEBHOOK_SECRET
   */
  secret?: SecretOption
  /**
   * The largest accepted body, in bytes.
   * @default 1048576. Events have a few kB.
   */
  bodyLimitBytes?: number | undefined
  /**
   * The largest accepted difference between the attempt's timestamp and our clock, in seconds.
   * @default 300, as in Standard Webhooks
   */
  toleranceSeconds?: number | undefined
  /**
   * Seconds from the request's headers to the answer. A slower handler continues, and the retry finds the message done.
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

/** Scalekit waits this long for an answer. */
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
