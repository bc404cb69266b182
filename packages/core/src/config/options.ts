import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { type Handlers, handlerNames } from '../events/handlers.ts'
import type { OutcomeReport } from '../events/outcome.ts'
import type { Store } from '../ledger/open-ledger.ts'
import type { SecretOption } from '../verification/secrets.ts'

/** Where Scalekit's own examples put the endpoint. */
export const defaultPath = '/webhooks/scalekit'

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
   * @default 345600 (4 days) — beyond the 33 h of retries that the design assumes, and a manual replay after the weekend
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
  /**
   * Called once for each attempt and each `dispatch()`; again, with `late`, when a handler ends after its deadline. What
   * it throws is ignored.
   */
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

export interface NumberRule {
  default: number
  least: number
  most: number
}

const day = 86_400
/** Every default, with the range that makes sense. */
export const numbers = {
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
export const senderWaitsSeconds = 10

export const dispatcherOptionNames: readonly string[] = [
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
export const receiverOptionNames: readonly string[] = [
  ...dispatcherOptionNames,
  'secret',
  'bodyLimitBytes',
  'toleranceSeconds',
  'deadlineSeconds',
]
