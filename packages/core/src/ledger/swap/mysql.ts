import type { DrivenLedger, Driver } from '../driver.ts'
import { FirstConnection, isSqlAdapter } from './first-connection.ts'
import { MysqlTable } from './mysql-table.ts'
import { SwapLedger } from './swap-ledger.ts'

/**
 * `@keyv/mysql`, for MySQL and MariaDB: `query(sql)` over a pool, where two calls may go to two connections.
 *
 * There are no stored routines under `GET_LOCK` here. They would need privileges that many accounts lack, and the
 * decisions a second time, in SQL. One statement that compares and swaps is as atomic, holds no lock that a lost
 * connection would leave behind, and needs no more than the four rights on one table.
 */
export const mysqlDriver: Driver = {
  open(adapter, options): DrivenLedger | undefined {
    if (!isSqlAdapter(adapter, 'mysql')) return undefined
    const connection = new FirstConnection(adapter, options.clock)
    return new SwapLedger(new MysqlTable(connection, options), 'atomic', options)
  },
}
