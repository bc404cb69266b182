import { omitUndefined } from '@scalekit-scim/core/internal'
import { SimulatorClock } from '../clock.ts'
import { Deliveries } from '../delivery/deliveries.ts'
import { isStoredDeliveries } from '../delivery/stored.ts'
import { Environment } from '../environment/environment.ts'
import { EnvironmentError } from '../environment/errors.ts'
import { isEnvironmentSnapshot } from '../environment/snapshot.ts'
import type { SimulatorOptions } from '../options.ts'
import type { Randomness } from '../randomness.ts'
import type { Snapshot } from './snapshot.ts'

// Each part starts from its saved state, and is saved when it changes.

/** A clock at real speed ignores the saved time. */
export function restoreClock({ clockSpeed = 1, from }: SimulatorOptions, snapshot: Snapshot): SimulatorClock {
  const savedMs = clockSpeed === 1 ? undefined : snapshot.saved('clockMs', isTime)
  const start = from ?? (savedMs === undefined ? undefined : new Date(savedMs))
  const clock = new SimulatorClock({ speed: clockSpeed, ...omitUndefined({ from: start }) })
  snapshot.keep('clockMs', () => clock.now())
  return clock
}

function isTime(saved: unknown): saved is number {
  return typeof saved === 'number' && Number.isFinite(saved)
}

export function restoreEnvironment(
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

export function restoreDeliveries(
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
  const restoredUrls = new Set(deliveries.endpoints.map(({ url }) => url))
  for (const endpoint of endpoints) if (!restoredUrls.has(endpoint.url)) deliveries.addEndpoint(endpoint)
  snapshot.keep('deliveries', () => deliveries.export())
  deliveries.onChange(() => snapshot.changed())
  deliveries.onEndpointsChange(() => snapshot.changed())
  return deliveries
}
