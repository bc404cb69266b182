import type { Driver } from './driver.ts'
import { mysqlDriver } from './mysql.ts'
import { postgresDriver } from './postgres.ts'
import { redisDriver } from './redis.ts'
import { sqliteDriver } from './sqlite.ts'

/** Asked in this order; what none of them knows gets the generic driver. */
export const drivers: readonly Driver[] = [redisDriver, postgresDriver, mysqlDriver, sqliteDriver]
