import KeyvMysql from '@keyv/mysql'
import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import type { KeyvStoreAdapter } from 'keyv'
import type { StoreKind } from './stores.ts'

export interface StoreAddress {
  kind: StoreKind
  url: string
}

/** The adapter of a store, as an application opens it. PostgreSQL's tables are in the schema. */
export function adapterOn({ kind, url }: StoreAddress, schema: string): KeyvStoreAdapter {
  switch (kind) {
    case 'redis':
      return new KeyvRedis(url)
    case 'postgres':
      return new KeyvPostgres({ uri: url, schema, max: 3 })
    case 'mysql':
      return new KeyvMysql({ uri: url, connectionLimit: 3 })
  }
}

/** Removes what a ledger has written. PostgreSQL's tables are dropped with their schema. */
export async function emptyNamespace({ kind, url }: StoreAddress, namespace: string): Promise<void> {
  if (kind === 'redis') {
    // For Keyv's adapter, the beginning of the ledger's keys is a namespace.
    const adapter = new KeyvRedis(url, { namespace: `{scim:${namespace}}`, keyPrefixSeparator: ':' })
    await adapter.clear()
    await adapter.disconnect()
  }
  if (kind === 'mysql') {
    const adapter = new KeyvMysql({ uri: url, connectionLimit: 1 })
    await adapter.query(`DELETE FROM scalekit_scim_ledger WHERE name LIKE '${namespace}:%'`)
    await adapter.disconnect()
  }
}
