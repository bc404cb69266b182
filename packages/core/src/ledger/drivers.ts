import type { Driver } from './driver.ts'
import { postgresDriver } from './postgres/postgres.ts'
import { redisDriver } from './redis/redis.ts'
import { mysqlDriver } from './swap/mysql.ts'
import { sqliteDriver } from './swap/sqlite.ts'

/** Asked in this order; what none of them knows gets the generic driver. */
export const drivers: readonly Driver[] = [redisDriver, postgresDriver, mysqlDriver, sqliteDriver]
