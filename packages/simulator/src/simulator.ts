import { type Clock, systemClock } from '@scalekit-scim/core'
import express from 'express'
import { createApi } from './api/api.ts'
import { ApiFaultDraw, type ApiFaults } from './api/faults.ts'
import { Environment } from './environment/environment.ts'
import { isEnvironmentSnapshot } from './environment/snapshot.ts'
import { openPort } from './port.ts'
import { createRandomness, randomText } from './randomness.ts'
import { Snapshot } from './snapshot.ts'

export interface SimulatorOptions {
  /** Others than this machine reach it only when this is another. @default '127.0.0.1' */
  host?: string
  /** @default 0: any that is free */
  port?: number
  /** Decides ids, secrets, faults and jitter: the same seed gives the same run. @default 'scalekit' */
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
  faults?: SimulatorFaults
}

export interface SimulatorFaults {
  api?: ApiFaults
}

export interface Simulator extends AsyncDisposable {
  /** Where the SDK finds it. */
  readonly url: string
  /** The environment variables of Scalekit's quickstart, to be pasted. */
  readonly variables: Readonly<Record<string, string>>
  readonly environment: Environment
  readonly clock: Clock
  /** Replaces the faults of each part that is given; those of a part that is absent stay. */
  setFaults(faults: SimulatorFaults): void
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
  const clock = systemClock
  const snapshot = await Snapshot.open(options.file)
  const from = snapshot.saved('environment', isEnvironmentSnapshot)
  const environment = new Environment({
    clock,
    randomness: randomness.fork('environment'),
    ...(from === undefined ? {} : { from }),
  })
  snapshot.keep('environment', () => environment.export())
  environment.onChange(() => snapshot.changed())
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

  const close = async () => {
    await port.close()
    await snapshot.close()
  }
  return {
    url: port.url,
    variables: {
      SCALEKIT_ENVIRONMENT_URL: port.url,
      SCALEKIT_CLIENT_ID: clientId,
      SCALEKIT_CLIENT_SECRET: clientSecret,
    },
    environment,
    clock,
    setFaults(faults) {
      if (faults.api) apiFaults.set(faults.api)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
