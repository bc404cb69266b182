import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { omitUndefined } from '@scalekit-scim/core/internal'
import express, { type ErrorRequestHandler } from 'express'
import { createApi } from './api/api.ts'
import { ApiFaultDraw } from './api/faults.ts'
import type { SimulatorClock } from './clock.ts'
import { createConsole } from './console/router.ts'
import type { Deliveries } from './delivery/deliveries.ts'
import type { Environment } from './environment/environment.ts'
import { openClock, openDeliveries, openEnvironment } from './kept-parts.ts'
import { requireFaultNames, requireOptions, type SimulatorFaults, type SimulatorOptions } from './options.ts'
import { openPort, type Port } from './port.ts'
import { createRandomness, type Randomness, randomText } from './randomness.ts'
import { answerNoDirectory, scimRouter } from './scim/router.ts'
import { Snapshot } from './snapshot.ts'

const defaultHost = '127.0.0.1'

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
 * Starts a local stand-in for Scalekit: one port that `@scalekit-sdk/node` takes for the real thing. Rejects with a
 * ConfigurationError when an option is wrong, and with a PortError or a SnapshotError when its port cannot be opened or
 * its file not be kept; then it has sent nothing, and holds nothing.
 *
 * @example
 * await using simulator = await createSimulator()
 * const { url, variables } = simulator
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  requireOptions(options)
  const { host = defaultHost, port: wantedPort = 0 } = options
  const snapshot = await Snapshot.open(options.file)
  let clock: SimulatorClock | undefined
  let port: Port | undefined
  try {
    clock = openClock(options, snapshot)
    port = await openPort({ host, port: wantedPort })
    return assemble(options, snapshot, clock, port)
  } catch (error) {
    // With its clock stopped nothing is sent of what the file has: the next start does that.
    clock?.close()
    await port?.close()
    snapshot.release()
    throw error
  }
}

/** Awaits nothing, so that nobody is answered and nothing is sent before all is in its place. */
function assemble(
  options: SimulatorOptions,
  snapshot: Snapshot,
  clock: SimulatorClock,
  port: Port,
): Simulator {
  const { host = defaultHost, seed, tokenSeconds = 86_399, requestsPerMinute } = options
  const randomness = createRandomness(seed ?? 'scalekit')
  const ids = seed === undefined ? createRandomness(randomUUID()) : randomness.fork('environment')
  const environment = openEnvironment(options, clock, ids, snapshot)
  const deliveries = openDeliveries(options, clock, randomness, snapshot)
  const stopSending = environment.onEvent((event) => deliveries.send(event))
  clock.settled = () => deliveries.idle()

  const credentials = credentialsOf(options, randomness.fork('credentials'))
  const faults = new ApiFaultDraw(randomness.fork('api'), options.faults?.api)
  const api = createApi({
    environment,
    clock,
    faults,
    ...credentials,
    tokenSeconds,
    ...omitUndefined({ requestsPerMinute }),
    port,
  })

  const close = async () => {
    consolePage.close()
    await port.close()
    stopSending()
    await deliveries.close()
    clock.close()
    await snapshot.close()
  }
  let closing: Promise<void> | undefined
  const closeOnce = () => (closing ??= close())
  const simulator: Simulator = {
    url: port.url,
    get variables() {
      return {
        SCALEKIT_ENVIRONMENT_URL: port.url,
        SCALEKIT_CLIENT_ID: credentials.clientId,
        SCALEKIT_CLIENT_SECRET: credentials.clientSecret,
        ...omitUndefined({ SCALEKIT_WEBHOOK_SECRET: deliveries.endpoints[0]?.secrets[0] }),
      }
    },
    environment,
    deliveries,
    clock,
    setFaults(parts) {
      requireFaultNames(parts)
      const { webhooks, api } = parts
      if (webhooks) deliveries.faults = webhooks
      if (api) faults.set(api)
    },
    step: (ms) => clock.step(ms),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  }
  const consolePage = createConsole(simulator, host)
  const http1 = express().disable('x-powered-by').use(api.routes)
  http1.use('/scim/v2/:directoryId', scimRouter(environment))
  http1.use('/scim', answerNoDirectory)
  http1.use(consolePage.router)
  http1.use(answerError)
  port.answer({ http1, http2: api.rpc })
  return simulator
}

/** What no part has answered itself: a body that is too long, say. Express's own answer is a page with a stack. */
const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const status = typeof error?.status === 'number' ? error.status : 500
  response.status(status).json({ error: STATUS_CODES[status] ?? 'Error' })
}

function credentialsOf({ clientId, clientSecret }: SimulatorOptions, randomness: Randomness) {
  return {
    clientId: clientId ?? `skc_${10_000_000 + randomness.below(89_999_999)}`,
    clientSecret: clientSecret ?? `test_${randomText(randomness, 40)}`,
  }
}
