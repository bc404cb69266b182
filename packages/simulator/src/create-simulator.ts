import { randomUUID } from 'node:crypto'
import { omitUndefined } from '@scalekit-scim/core/internal'
import express, { type Express, type Router } from 'express'
import { createApi } from './api/api.ts'
import { ApiFaultDraw } from './api/faults.ts'
import { SimulatorClock } from './clock.ts'
import { answerError } from './console/api.ts'
import { createConsole } from './console/router.ts'
import { Deliveries } from './delivery/deliveries.ts'
import { Environment } from './environment/environment.ts'
import { EnvironmentError } from './environment/records.ts'
import { requireFaultNames, requireOptions, type SimulatorOptions } from './options.ts'
import { Snapshot } from './persistence/snapshot.ts'
import { brokenFile } from './persistence/snapshot-file.ts'
import { openPort, type Port } from './port.ts'
import { createRandomness, type Randomness, randomText } from './randomness.ts'
import { answerNoDirectory, scimRouter } from './scim/router.ts'
import type { Simulator } from './simulator.ts'

const defaultHost = '127.0.0.1'

/**
 * Starts a local replacement for Scalekit on one port. `@scalekit-sdk/node` uses the simulator like the real service.
 *
 * Possible errors: ConfigurationError (an invalid option), PortError (an unusable port), SnapshotError (an unusable
 * file). After an error, the port and the file are free again, and no message was sent.
 *
 * @example
 * await using simulator = await createSimulator()
 * const { url, variables } = simulator
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  requireOptions(options)
  const { host = defaultHost, port: requestedPort = 0 } = options
  const snapshot = await Snapshot.open(options.file)
  let clock: SimulatorClock | undefined
  let port: Port | undefined
  try {
    clock = startClock(options, snapshot)
    port = await openPort({ host, port: requestedPort })
    return assemble(options, snapshot, clock, port)
  } catch (error) {
    // After `clock.close()`, no timer sends the messages from the file. The next start sends these messages.
    clock?.close()
    await port?.close()
    snapshot.release()
    throw error instanceof EnvironmentError ? brokenFile(options.file ?? '', error.message, error) : error
  }
}

/**
 * The function is synchronous. So the simulator does not answer requests or send messages before all parts are ready.
 */
function assemble(
  options: SimulatorOptions,
  snapshot: Snapshot,
  clock: SimulatorClock,
  port: Port,
): Simulator {
  const { host = defaultHost, seed, tokenSeconds = 86_399, requestsPerMinute } = options
  const randomness = createRandomness(seed ?? 'scalekit')
  const idRandomness = seed === undefined ? createRandomness(randomUUID()) : randomness.fork('environment')
  const optional = omitUndefined({ from: snapshot.saved.environment, stampMicros: options.stampMicros })
  const environment = new Environment({ clock, randomness: idRandomness, ...optional })
  const deliveries = restoreDeliveries(options, clock, randomness.fork('deliveries'), snapshot)
  snapshot.keep(() => ({
    clockMs: clock.now(),
    environment: environment.export(),
    deliveries: deliveries.export(),
  }))
  environment.onChange(() => snapshot.changed())
  deliveries.onChange(() => snapshot.changed())
  deliveries.onEndpointsChange(() => snapshot.changed())
  const stopSending = environment.onEvent((event) => deliveries.send(event))
  clock.settled = () => deliveries.idle()

  const drawn = randomness.fork('credentials')
  const { clientId = `skc_${10_000_000 + drawn.below(89_999_999)}` } = options
  const { clientSecret = `test_${randomText(drawn, 40)}` } = options
  const faults = new ApiFaultDraw(randomness.fork('api'), options.faults?.api)
  const limits = { tokenSeconds, requestsPerMinute }
  const api = createApi({ environment, clock, faults, clientId, clientSecret, ...limits, url: port.url })

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
        SCALEKIT_CLIENT_ID: clientId,
        SCALEKIT_CLIENT_SECRET: clientSecret,
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
  port.serve(httpApplication(api.routes, environment, consolePage.router), api.rpc)
  return simulator
}

/** Starts the clock. A clock at real speed ignores the saved time. */
function startClock({ clockSpeed = 1, from }: SimulatorOptions, { saved }: Snapshot): SimulatorClock {
  const savedTime = saved.clockMs === undefined || clockSpeed === 1 ? undefined : new Date(saved.clockMs)
  return new SimulatorClock({ speed: clockSpeed, ...omitUndefined({ from: from ?? savedTime }) })
}

function restoreDeliveries(
  { retryJitterShare, faults, endpoints = [] }: SimulatorOptions,
  clock: SimulatorClock,
  randomness: Randomness,
  { saved }: Snapshot,
): Deliveries {
  const optional = omitUndefined({ retryJitterShare, faults: faults?.webhooks })
  const deliveries = new Deliveries({ clock, randomness, ...optional })
  if (saved.deliveries) deliveries.restore(saved.deliveries)
  const restoredUrls = new Set(deliveries.endpoints.map(({ url }) => url))
  for (const endpoint of endpoints) if (!restoredUrls.has(endpoint.url)) deliveries.addEndpoint(endpoint)
  return deliveries
}

function httpApplication(apiRoutes: Router, environment: Environment, consoleRoutes: Router): Express {
  const application = express().disable('x-powered-by').use(apiRoutes)
  application.use('/scim/v2/:directoryId', scimRouter(environment))
  application.use('/scim', answerNoDirectory)
  application.use(consoleRoutes)
  return application.use(answerError)
}
