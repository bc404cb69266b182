import { ConfigurationError } from '@scalekit-scim/core'
import { requireKnownNames } from '@scalekit-scim/core/internal'
import { signDelivery } from '@scalekit-scim/core/testing'
import { z } from 'zod'
import type { ApiFaults } from './api/faults.ts'
import type { NewEndpoint } from './delivery/endpoints.ts'
import type { WebhookFaults } from './delivery/faults.ts'
import { type Rule, requireRules, shareRule } from './option-rules.ts'

export interface SimulatorOptions {
  /** The address to listen on. `0.0.0.0` allows requests from other machines. @default '127.0.0.1' */
  host?: string
  /** The port. 0 is any free port. @default 0 */
  port?: number
  /**
   * Determines ids, secrets, faults and jitter. With the same seed and start time, two runs have the same results.
   * @default the same secrets at each start, but new ids, so that an application does not confuse new users with
   * earlier users
   */
  seed?: number | string
  /** The file that stores the environment for the next start. @default none: no environment is stored */
  file?: string
  /** @default a value that depends on the seed */
  clientId?: string
  /** @default a value that depends on the seed */
  clientSecret?: string
  /** The lifetime of an access token. @default 86 399, as in Scalekit's documentation */
  tokenSeconds?: number
  /**
   * The number of API calls that the simulator answers in each minute. Further calls fail with ResourceExhausted.
   * @default no limit
   */
  requestsPerMinute?: number
  /**
   * The endpoints at the start. The simulator does not add an endpoint whose URL is already in the file.
   * @default none
   */
  endpoints?: readonly NewEndpoint[]
  /**
   * The speed of the clock. At 2, the clock runs twice as fast as real time. At 0, only `step` moves the clock. If the
   * clocks differ by more than 300 s, a receiver refuses the signatures. So also use this clock in the receiver:
   * `createReceiver({ clock: simulator.clock })`.
   * @default 1
   */
  clockSpeed?: number
  /** The clock's time at the start. @default now; for a clock that does not run at real speed, the saved time */
  from?: Date
  /** The jitter of each retry delay. With 0.2, a delay is up to 20 % shorter or longer. @default 0.2 */
  retryJitterShare?: number
  faults?: SimulatorFaults
  /**
   * Returns the time of a change, in whole microseconds.
   * @default the simulator's time, but later than every earlier change
   */
  stampMicros?: () => number
}

export interface SimulatorFaults {
  webhooks?: WebhookFaults
  api?: ApiFaults
}

const text = z.string().min(1)
const textRule: Rule = [text, 'a string that is not empty']

const endpointsDescription = 'a list of objects with a `url`, and optionally a `secret` and `types`'
const endpointRules: Readonly<Record<keyof NewEndpoint, Rule>> = {
  url: [z.url({ protocol: /^https?$/ }), 'a full http or https URL'],
  secret: [z.string(), 'a string'],
  types: [z.array(z.string()), 'a list of strings'],
}
const rules: Readonly<Record<keyof SimulatorOptions, Rule>> = {
  host: [text, 'an address or a name of this machine'],
  port: [z.int().min(0).max(65_535), 'a whole number from 0 to 65535'],
  seed: [z.union([z.number(), z.string()]), 'a number or a string'],
  file: [text, 'the path of a file'],
  clientId: textRule,
  clientSecret: textRule,
  tokenSeconds: [z.number().positive(), 'a number above 0'],
  requestsPerMinute: [z.int().min(0), 'a whole number, 0 or more'],
  endpoints: [z.array(z.looseObject({ url: z.string() })), endpointsDescription],
  clockSpeed: [z.number().min(0), 'a number, 0 or more'],
  from: [z.date(), 'a Date'],
  retryJitterShare: shareRule,
  faults: [z.record(z.string(), z.looseObject({}).optional()), 'an object with `webhooks` or `api`'],
  stampMicros: [z.custom((value) => typeof value === 'function'), 'a function'],
}

/** @throws ConfigurationError for the first invalid option */
export function requireOptions(options: SimulatorOptions): void {
  requireRules(options, rules)
  for (const [index, endpoint] of (options.endpoints ?? []).entries()) {
    const path = `endpoints[${index}]`
    requireRules(endpoint, endpointRules, path)
    if ('secret' in endpoint) requireSecret(endpoint.secret, `${path}.secret`)
  }
  requireFaultNames(options.faults ?? {})
}

export function requireFaultNames(faults: SimulatorFaults): void {
  requireKnownNames(faults, ['webhooks', 'api'], 'faults')
}

function requireSecret(secret: string | undefined, path: string): void {
  if (secret === undefined) {
    throw new ConfigurationError(
      'ERR_SCIM_SECRET_MISSING',
      `\`${path}\` is undefined. Check that its environment variable is set. Without this option, the seed determines the secret.`,
      path,
    )
  }
  try {
    // Core checks whether the secret is valid.
    signDelivery('', { secret })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(error.code, error.message.replace('`secret`', `\`${path}\``), path)
  }
}
