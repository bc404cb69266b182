import type { StoreName } from './stores.ts'

/** A script that measures one table, or one part of a table, in a process of its own. */
export interface Script {
  /** The file in this folder. */
  file: string
  args?: readonly string[]
  /** Options of Node. */
  flags?: readonly string[]
  stores?: readonly StoreName[]
}

export interface Table {
  name: string
  /** For `--help`. */
  about: string
  scripts: readonly Script[]
  /** The reason why the table runs only if it is named. */
  onlyIfNamed?: string
}

const bothStores = ['Redis', 'PostgreSQL'] as const
const collect = ['--expose-gc'] as const

export const tables: readonly Table[] = [
  {
    name: 'express',
    about: 'The Express middleware over HTTP, compared with other servers',
    scripts: [{ file: 'http/index.ts', args: ['express'], stores: bothStores }],
  },
  {
    name: 'fastify',
    about: 'The Fastify plugin over HTTP, compared with other servers',
    scripts: [{ file: 'http/index.ts', args: ['fastify'], stores: bothStores }],
  },
  {
    name: 'receive',
    about: "CPU of receive() and of the verification, compared with the SDK's verification",
    scripts: [{ file: 'receive.ts', flags: collect }],
  },
  {
    name: 'memory',
    about: 'CPU and memory of the default store, for a million messages',
    scripts: [{ file: 'memory.ts', flags: collect }],
  },
  {
    name: 'start',
    about: 'CPU of the import of the adapters',
    scripts: [{ file: 'start.ts' }],
  },
  {
    name: 'redis',
    about: 'Each verb of the ledger on Redis, compared with SET NX PX',
    scripts: [{ file: 'redis.ts', stores: ['Redis'] }],
  },
  {
    name: 'postgres',
    about: 'Each verb of the ledger on PostgreSQL, compared with INSERT',
    scripts: [{ file: 'postgres.ts', stores: ['PostgreSQL'] }],
  },
  {
    name: 'sync',
    about: "The sync's streams, compared with a loop over the SDK",
    scripts: [{ file: 'sync.ts' }],
  },
  {
    name: 'sync-passes',
    about: 'Full passes of the sync, compared with a loop over the SDK',
    scripts: [{ file: 'sync-passes.ts' }],
  },
  {
    name: 'simulator',
    about: "The simulator's lists of users, compared with a bare connect server",
    scripts: [{ file: 'simulator.ts' }],
  },
  {
    name: 'sync-memory',
    about: 'Memory of a pass over a million users',
    onlyIfNamed: 'takes many minutes',
    scripts: [{ file: 'sync-memory.ts' }],
  },
  {
    name: 'growth',
    about:
      'begin and commit with 10,000 and with 3,000,000 stored messages, and 5,000,000 messages in memory',
    onlyIfNamed: 'takes many minutes, and 1.4 GB of Redis and 1.4 GB of PostgreSQL',
    scripts: [
      { file: 'growth/redis.ts', stores: ['Redis'] },
      { file: 'growth/postgres.ts', stores: ['PostgreSQL'] },
      { file: 'memory.ts', args: ['5000000', '500000'], flags: collect },
    ],
  },
]
