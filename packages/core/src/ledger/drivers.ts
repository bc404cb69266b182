import type { Driver } from './driver.ts'
import { postgresDriver } from './postgres.ts'
import { redisDriver } from './redis.ts'

/** Asked in this order; what none of them knows gets the generic driver. */
export const drivers: readonly Driver[] = [redisDriver, postgresDriver]
