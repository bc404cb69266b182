import express from 'express'
import { createApi } from './api/api.ts'
import { ApiFaultDraw, type ApiFaults } from './api/faults.ts'
import { SimulatorClock } from './clock.ts'
import { createConsole } from './console/router.ts'
import { Deliveries } from './delivery/deliveries.ts'
import type { NewEndpoint } from './delivery/endpoints.ts'
import type { WebhookFaults } from './delivery/faults.ts'
import { Environment } from './environment/environment.ts'
import { openPort } from './port.ts'
import { createRandomness, type Randomness } from './randomness.ts'

export interface SimulatorOptions {
  /** Others than this machine reach it only when this is another. @default '127.0.0.1' */
  host?: string
  /** @default 0: any that is free */
  port?: number
  /** Decides ids, secrets, faults and jitter: the same seed gives the same run. @default 'scalekit' */
  seed?: number | string
  /** @default of the seed */
  clientId?: string
  /** @default of the seed */
  clientSecret?: string
  /** How long an access token is good. @default 86 399, as Scalekit's documentation shows */
  tokenSeconds?: number
  /** API calls above this fail with ResourceExhausted until the minute is over. @default no limit */
  requestsPerMinute?: number
  /** Where webhooks go from the first change on. */
  endpoints?: readonly NewEndpoint[]
  /** How much faster than real time the retries come; at 0 time stands still but for `step`. @default 1 */
  clockSpeed?: number
  /** How far a retry's wait may be off the schedule, up or down. @default 0.2 */
  retryJitterShare?: number
  faults?: SimulatorFaults
}

export interface SimulatorFaults {
  webhooks?: WebhookFaults
  api?: ApiFaults
}

export interface Simulator extends AsyncDisposable {
  /** Where the SDK finds it. */
  readonly url: string
  /** The environment variables of Scalekit's quickstart, to be pasted. */
  readonly variables: Readonly<Record<string, string>>
  readonly environment: Environment
  /** The webhooks: endpoints, and every message's attempts. */
  readonly deliveries: Deliveries
  readonly clock: SimulatorClock
  /** Replaces the faults of each part that is given; those of a part that is absent stay. */
  setFaults(faults: SimulatorFaults): void
  /** Moves time on: each attempt that falls due is made, and comes to its end, before the next one. */
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
  const { host = '127.0.0.1', port: wantedPort = 0, seed = 'scalekit', tokenSeconds = 86_399 } = options
  const randomness = createRandomness(seed)
  const credentials = randomness.fork('credentials')
  const clientId = options.clientId ?? `skc_${10_000_000 + credentials.below(89_999_999)}`
  const clientSecret = options.clientSecret ?? `test_${randomText(credentials, 40)}`
  const clock = new SimulatorClock({ speed: options.clockSpeed ?? 1 })
  const environment = new Environment({ clock, randomness: randomness.fork('environment') })
  const deliveries = new Deliveries({
    clock,
    randomness: randomness.fork('deliveries'),
    retryJitterShare: options.retryJitterShare ?? 0.2,
    faults: options.faults?.webhooks ?? {},
  })
  clock.settled = () => deliveries.idle()
  for (const endpoint of options.endpoints ?? []) deliveries.addEndpoint(endpoint)
  environment.onEvent((event) => void deliveries.send(event))
  const apiFaults = new ApiFaultDraw(randomness.fork('api'), options.faults?.api)
  const { requestsPerMinute } = options
  const api = createApi({
    environment,
    clock,
    faults: apiFaults,
    clientId,
    clientSecret,
    tokenSeconds,
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    port: () => port,
  })
  const http1 = express().disable('x-powered-by').use(api.routes)
  const port = await openPort({ host, port: wantedPort, http1, http2: api.rpc })

  const simulator: Simulator = {
    url: port.url,
    get variables() {
      const [endpoint] = deliveries.endpoints
      return {
        SCALEKIT_ENVIRONMENT_URL: port.url,
        SCALEKIT_CLIENT_ID: clientId,
        SCALEKIT_CLIENT_SECRET: clientSecret,
        ...(endpoint?.secrets[0] ? { SCALEKIT_WEBHOOK_SECRET: endpoint.secrets[0] } : {}),
      }
    },
    environment,
    deliveries,
    clock,
    setFaults(faults) {
      if (faults.api) apiFaults.set(faults.api)
      if (faults.webhooks) deliveries.faults = faults.webhooks
    },
    step: (ms) => clock.step(ms),
    async close() {
      consolePage.close()
      await Promise.all([port.close(), deliveries.close()])
      clock.close()
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  }
  const consolePage = createConsole(simulator, host)
  http1.use(consolePage.router)
  return simulator
}

function randomText(randomness: Randomness, length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length }, () => letters[randomness.below(letters.length)]).join('')
}
