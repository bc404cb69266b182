import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import express, { type ErrorRequestHandler } from 'express'
import { createApi } from './api/api.ts'
import { ApiFaultDraw, type ApiFaults } from './api/faults.ts'
import { SimulatorClock } from './clock.ts'
import { createConsole } from './console/router.ts'
import { Deliveries } from './delivery/deliveries.ts'
import type { NewEndpoint } from './delivery/endpoints.ts'
import type { WebhookFaults } from './delivery/faults.ts'
import { isStoredDeliveries } from './delivery/is-stored.ts'
import { Environment } from './environment/environment.ts'
import { isEnvironmentSnapshot } from './environment/snapshot.ts'
import { given } from './given.ts'
import { openPort } from './port.ts'
import { createRandomness, type Randomness, randomText } from './randomness.ts'
import { scimRouter } from './scim/router.ts'
import { Snapshot } from './snapshot.ts'

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

export interface Simulator extends AsyncDisposable {
  /** Where the SDK finds it. */
  readonly url: string
  /** The environment variables of Scalekit's quickstart, to be pasted; the secret is the first endpoint's. */
  readonly variables: Readonly<Record<string, string>>
  readonly environment: Environment
  readonly deliveries: Deliveries
  readonly clock: SimulatorClock
  /** Replaces the faults of each part that is given; those of a part that is absent stay. */
  setFaults(faults: SimulatorFaults): void
  /** Moves a clock that stands still, running each attempt that falls due to its end on the way. */
  step(ms: number): Promise<void>
  /** Ends all that is under way and frees the port. */
  close(): Promise<void>
}

/**
 * Starts a local stand-in for Scalekit: one port that `@scalekit-sdk/node` takes for the real thing.
 *
 * @example
 * await using simulator = await createSimulator()
 * const { url, variables } = simulator
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port: wantedPort = 0, seed, tokenSeconds = 86_399 } = options
  const snapshot = await Snapshot.open(options.file)
  const randomness = createRandomness(seed ?? 'scalekit')
  const clock = openClock(options, snapshot)
  const ids = seed === undefined ? createRandomness(randomUUID()) : randomness.fork('environment')
  const environment = openEnvironment(options, clock, ids, snapshot)
  const deliveries = openDeliveries(options, clock, randomness, snapshot)
  environment.onEvent((event) => deliveries.send(event))
  clock.settled = () => deliveries.idle()

  const credentials = credentialsOf(options, randomness.fork('credentials'))
  const apiFaults = new ApiFaultDraw(randomness.fork('api'), options.faults?.api)
  const api = createApi({
    environment,
    clock,
    faults: apiFaults,
    ...credentials,
    tokenSeconds,
    ...given({ requestsPerMinute: options.requestsPerMinute }),
    port: () => port,
  })
  const http1 = express().disable('x-powered-by').use(api.routes)
  http1.use('/scim/v2/:directoryId', scimRouter(environment))
  const port = await openPort({ host, port: wantedPort, http1, http2: api.rpc }).catch(async (error) => {
    await deliveries.close()
    clock.close()
    throw error
  })

  const close = async () => {
    consolePage.close()
    await port.close()
    await deliveries.close()
    clock.close()
    await snapshot.close()
  }
  const simulator: Simulator = {
    url: port.url,
    get variables() {
      return {
        SCALEKIT_ENVIRONMENT_URL: port.url,
        SCALEKIT_CLIENT_ID: credentials.clientId,
        SCALEKIT_CLIENT_SECRET: credentials.clientSecret,
        ...given({ SCALEKIT_WEBHOOK_SECRET: deliveries.endpoints[0]?.secrets[0] }),
      }
    },
    environment,
    deliveries,
    clock,
    setFaults({ webhooks, api }) {
      if (webhooks) deliveries.faults = webhooks
      if (api) apiFaults.set(api)
    },
    step: (ms) => clock.step(ms),
    close,
    [Symbol.asyncDispose]: close,
  }
  const consolePage = createConsole(simulator, host)
  http1.use(consolePage.router)
  http1.use(answerError)
  return simulator
}

/** What no part has answered itself: a body that is too long, say. Express's own answer is a page with a stack. */
const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const status = typeof error?.status === 'number' ? error.status : 500
  response.status(status).json({ error: STATUS_CODES[status] ?? 'Error' })
}

/** One that goes as time does needs no memory of it. */
function openClock({ clockSpeed = 1, from }: SimulatorOptions, snapshot: Snapshot): SimulatorClock {
  const leftAtMs = clockSpeed === 1 ? undefined : snapshot.saved('clockMs', isTime)
  const clock = new SimulatorClock({
    speed: clockSpeed,
    ...given({ from: from ?? (leftAtMs === undefined ? undefined : new Date(leftAtMs)) }),
  })
  snapshot.keep('clockMs', () => clock.now())
  return clock
}

function isTime(saved: unknown): saved is number {
  return typeof saved === 'number' && Number.isFinite(saved)
}

function openEnvironment(
  { stampMicros }: SimulatorOptions,
  clock: SimulatorClock,
  randomness: Randomness,
  snapshot: Snapshot,
): Environment {
  const from = snapshot.saved('environment', isEnvironmentSnapshot)
  const environment = new Environment({
    clock,
    randomness,
    ...given({ from, stampMicros }),
  })
  snapshot.keep('environment', () => environment.export())
  environment.onChange(() => snapshot.changed())
  return environment
}

function openDeliveries(
  { retryJitterShare, faults, endpoints = [] }: SimulatorOptions,
  clock: SimulatorClock,
  randomness: Randomness,
  snapshot: Snapshot,
): Deliveries {
  const deliveries = new Deliveries({
    clock,
    randomness: randomness.fork('deliveries'),
    ...given({ retryJitterShare, faults: faults?.webhooks }),
  })
  const stored = snapshot.saved('deliveries', isStoredDeliveries)
  if (stored) deliveries.restore(stored)
  const known = new Set(deliveries.endpoints.map(({ url }) => url))
  for (const endpoint of endpoints) if (!known.has(endpoint.url)) deliveries.addEndpoint(endpoint)
  snapshot.keep('deliveries', () => deliveries.export())
  deliveries.onChange(() => snapshot.changed())
  deliveries.onEndpointsChange(() => snapshot.changed())
  return deliveries
}

function credentialsOf({ clientId, clientSecret }: SimulatorOptions, randomness: Randomness) {
  return {
    clientId: clientId ?? `skc_${10_000_000 + randomness.below(89_999_999)}`,
    clientSecret: clientSecret ?? `test_${randomText(randomness, 40)}`,
  }
}
