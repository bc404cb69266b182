import { omitUndefined } from '@scalekit-scim/core/internal'
import { SimulatorClock } from './clock.ts'
import { Deliveries } from './delivery/deliveries.ts'
import { isStoredDeliveries } from './delivery/is-stored.ts'
import { Environment } from './environment/environment.ts'
import { EnvironmentError } from './environment/errors.ts'
import { isEnvironmentSnapshot } from './environment/snapshot.ts'
import type { SimulatorOptions } from './options.ts'
import type { Randomness } from './randomness.ts'
import type { Snapshot } from './snapshot.ts'

// What a file keeps: each part begins where the file left it, and is saved when it changes.

/** One that goes as time does needs no memory of it. */
export function openClock({ clockSpeed = 1, from }: SimulatorOptions, snapshot: Snapshot): SimulatorClock {
  const leftAtMs = clockSpeed === 1 ? undefined : snapshot.saved('clockMs', isTime)
  const clock = new SimulatorClock({
    speed: clockSpeed,
    ...omitUndefined({ from: from ?? (leftAtMs === undefined ? undefined : new Date(leftAtMs)) }),
  })
  snapshot.keep('clockMs', () => clock.now())
  return clock
}

function isTime(saved: unknown): saved is number {
  return typeof saved === 'number' && Number.isFinite(saved)
}

export function openEnvironment(
  { stampMicros }: SimulatorOptions,
  clock: SimulatorClock,
  randomness: Randomness,
  snapshot: Snapshot,
): Environment {
  const from = snapshot.saved('environment', isEnvironmentSnapshot)
  let environment: Environment
  try {
    environment = new Environment({ clock, randomness, ...omitUndefined({ from, stampMicros }) })
  } catch (error) {
    throw error instanceof EnvironmentError ? snapshot.broken(error.message, error) : error
  }
  snapshot.keep('environment', () => environment.export())
  environment.onChange(() => snapshot.changed())
  return environment
}

export function openDeliveries(
  { retryJitterShare, faults, endpoints = [] }: SimulatorOptions,
  clock: SimulatorClock,
  randomness: Randomness,
  snapshot: Snapshot,
): Deliveries {
  const deliveries = new Deliveries({
    clock,
    randomness: randomness.fork('deliveries'),
    ...omitUndefined({ retryJitterShare, faults: faults?.webhooks }),
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
