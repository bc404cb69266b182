import { ConfigurationError } from '@scalekit-scim/core'
import { requireKnownNames } from '@scalekit-scim/core/internal'
import { signDelivery } from '@scalekit-scim/core/testing'
import { z } from 'zod'
import type { ApiFaults } from './api/faults.ts'
import type { NewEndpoint } from './delivery/endpoints.ts'
import type { WebhookFaults } from './delivery/faults.ts'
import { type Rule, requireRule, requireRules } from './option-rules.ts'

export interface SimulatorOptions {
  /** Others than this machine reach it only when this is another. @default '127.0.0.1' */
  host?: string
  /** @default 0: any that is free */
  port?: number
  /**
   * Decides ids, secrets, faults and jitter: with a clock that begins at the same time, the same seed gives the same run.
   * @default secrets that are the same at each start, and ids that are new at each, so that an application which has
   * kept what it heard of an earlier start takes nobody for somebody else
   */
  seed?: number | string
  /** Where the environment is kept, so that the next start takes it up. @default nowhere: it ends with the process */
  file?: string
  /** @default of the seed */
  clientId?: string
  /** @default of the seed */
  clientSecret?: string
  /** How long an access token is good. @default 86 399, as Scalekit's documentation shows */
  tokenSeconds?: number
  /** API calls above this fail with ResourceExhausted until the minute is over. @default no limit */
  requestsPerMinute?: number
  /** Where webhooks go from the start. One that the file has already, by its URL, is not added again. @default none */
  endpoints?: readonly NewEndpoint[]
  /**
   * How much faster than real time its clock goes; at 0 it stands still but for `step`. A receiver refuses what was
   * signed over 300 s away from its own clock, so give it this one: `createReceiver({ clock: simulator.clock })`.
   * @default 1
   */
  clockSpeed?: number
  /** The time at which its clock begins. @default now; of a clock that is faster or stands still, where the file left it */
  from?: Date
  /** How far a wait between attempts may be off the schedule, up or down. @default 0.2 */
  retryJitterShare?: number
  faults?: SimulatorFaults
  /** The time that a change bears, in whole microseconds: another clock's. @default the simulator's, each later than the last */
  stampMicros?: () => number
}

export interface SimulatorFaults {
  webhooks?: WebhookFaults
  api?: ApiFaults
}

const text = z.string().min(1)

/** What each option can be. */
const rules: Readonly<Record<keyof SimulatorOptions, Rule>> = {
  host: [text, 'an address or a name of this machine'],
  port: [z.int().min(0).max(65_535), 'a whole number from 0 to 65535'],
  seed: [z.union([z.number(), z.string()]), 'a number or a text'],
  file: [text, 'the path of a file'],
  clientId: [text, 'a text that is not empty'],
  clientSecret: [text, 'a text that is not empty'],
  tokenSeconds: [z.number().positive(), 'a number above 0'],
  requestsPerMinute: [z.int().min(0), 'a whole number, 0 or more'],
  endpoints: [
    z.array(
      z.looseObject({
        url: z.string(),
        secret: z.string().optional(),
        types: z.array(z.string()).optional(),
      }),
    ),
    'a list of objects with a `url`, and where you like a `secret` and `types`',
  ],
  clockSpeed: [z.number().min(0), 'a number, 0 or more'],
  from: [z.date(), 'a Date'],
  retryJitterShare: [z.number().min(0).max(1), 'a number from 0 to 1'],
  faults: [z.record(z.string(), z.looseObject({}).optional()), 'an object with `webhooks` or `api`'],
  stampMicros: [z.custom((value) => typeof value === 'function'), 'a function'],
}

/** Before anything is opened. @throws ConfigurationError for the first that is wrong */
export function requireOptions(options: SimulatorOptions): void {
  requireRules(options, rules)
  for (const [index, endpoint] of (options.endpoints ?? []).entries()) {
    requireEndpoint(endpoint, `endpoints[${index}]`)
  }
  requireFaultNames(options.faults ?? {})
}

export function requireFaultNames(faults: SimulatorFaults): void {
  requireKnownNames(faults, ['webhooks', 'api'], 'faults')
}

function requireEndpoint(endpoint: NewEndpoint, path: string): void {
  requireKnownNames(endpoint, ['url', 'secret', 'types'], path)
  requireRule(endpoint.url, [z.url({ protocol: /^https?$/ }), 'a full http or https URL'], `${path}.url`)
  if ('secret' in endpoint) requireSecret(endpoint.secret, `${path}.secret`)
}

function requireSecret(secret: string | undefined, path: string): void {
  if (secret === undefined) {
    throw new ConfigurationError(
      'ERR_SCIM_SECRET_MISSING',
      `\`${path}\` is given and is undefined: is its environment variable set? Without the option the seed decides.`,
      path,
    )
  }
  try {
    // core knows best what a usable secret is.
    signDelivery('', { secret })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(error.code, error.message.replace('`secret`', `\`${path}\``), path)
  }
}
