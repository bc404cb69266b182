import { answers, type OwnServer, ownMysql, ownPostgres, ownRedis } from './servers.ts'

export type StoreKind = 'redis' | 'postgres' | 'mysql'

export interface Stores {
  redis: string | undefined
  postgres: string | undefined
  mysql: string | undefined
  /** Ends the servers that were started for the test. */
  close(): Promise<void>
}

const usual = {
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  postgres: process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres',
  mysql: process.env.MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test',
}
const own = { redis: ownRedis, postgres: ownPostgres, mysql: ownMysql }

/**
 * Returns the servers on their usual ports. If a server does not answer, starts a separate one from the PATH, or warns.
 * @throws Error if CI=true, and Redis or PostgreSQL is missing
 */
export async function openStores(): Promise<Stores> {
  const started: OwnServer[] = []
  const open = async (kind: StoreKind) => {
    const { port } = new URL(usual[kind])
    if (await answers(Number(port), kind === 'redis' ? 'PING\r\n' : '')) return usual[kind]
    const server = await own[kind]()
    if (server) started.push(server)
    else warnMissing(kind)
    return server?.url
  }
  const [redis, postgres, mysql] = await Promise.all([open('redis'), open('postgres'), open('mysql')])
  return {
    redis,
    postgres,
    mysql,
    close: async () => {
      for (const server of started) await server.destroy()
    },
  }
}

/** @throws Error if CI=true, and Redis or PostgreSQL is missing. As in test/ledger, MySQL is optional. */
export function warnMissing(kind: StoreKind): void {
  const missing = `no ${kind} answers at ${usual[kind]}, and none is on the PATH`
  if (process.env.CI && kind !== 'mysql') throw new Error(missing)
  console.warn(`SKIPPED: ${missing}`)
}
