import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import type { ServerState, StoreName } from './stores.ts'

/** The machine that the figures depend on. */
export interface Machine {
  cpu: string
  cores: number
  memoryGb: number
  system: string
  /** The average number of running processes in the last minute, at the start of the benchmarks. */
  load: number
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    load: loadavg()[0] ?? 0,
  }
}

const packages = [
  '@scalekit-scim/core',
  'express',
  'fastify',
  '@scalekit-sdk/node',
  'keyv',
  '@keyv/redis',
  '@keyv/postgres',
]

/** Returns the versions of Node, of the packages and of the servers. */
export function versions(servers: ReadonlyMap<StoreName, ServerState>): Record<string, string> {
  const installed = packages.map((name): [string, string] => {
    const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url)
    return [name, JSON.parse(readFileSync(manifest, 'utf8')).version]
  })
  const running = [...servers].map(([name, state]): [string, string] => [
    name,
    'version' in state ? state.version : 'not reachable',
  ])
  return Object.fromEntries([['Node', process.versions.node], ...installed, ...running])
}
