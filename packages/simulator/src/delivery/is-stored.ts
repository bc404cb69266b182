import type { Deliveries } from './deliveries.ts'

type Stored = ReturnType<Deliveries['export']>

/** Whether something read from a file is what `Deliveries.export` gave. */
export function isStoredDeliveries(saved: unknown): saved is Stored {
  if (typeof saved !== 'object' || saved === null) return false
  const { endpoints, drawn, sent }: Partial<Record<string, unknown>> = { ...saved }
  return Array.isArray(endpoints) && typeof drawn === 'number' && typeof sent === 'number'
}
