import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server that a test may kill, freeze and fill. It stores no data on disk. */
export interface RedisServer {
  port: number
  url: string
  /** Runs a command with redis-cli, and returns what it prints. */
  cli(...command: string[]): string
  /** Kills the server, as in a crash. The data in memory is lost. */
  kill(): Promise<void>
  /** Starts the server again, empty, on its old port. */
  start(): Promise<void>
  freeze(): void
  thaw(): void
  /** Kills the server and removes its folder. */
  remove(): Promise<void>
}

const usualPort = 6379

export const redisIsInstalled = spawnSync('redis-server', ['--version']).status === 0

/** @param options in the form of the command line: `'--maxmemory', '3mb'` */
export async function startRedis(...options: string[]): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'scim-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined

  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli: (...command) => cli(port, command),
    async kill() {
      const running = child
      child = undefined
      if (!running || running.exitCode !== null) return
      const ended = new Promise((resolve) => running.once('exit', resolve))
      running.kill('SIGKILL')
      await ended
    },
    async start() {
      const always = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder]
      child = spawn('redis-server', [...always, '--save', '', '--appendonly', 'no', ...options], {
        stdio: 'ignore',
      })
      await untilAnswering(port)
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async remove() {
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

/** Returns the server on the usual port, or a separate server. `undefined` if Redis is not installed. */
export async function sharedRedis(): Promise<Pick<RedisServer, 'url' | 'cli' | 'remove'> | undefined> {
  if (await answers(usualPort)) {
    return {
      url: `redis://127.0.0.1:${usualPort}`,
      cli: (...command) => cli(usualPort, command),
      remove: async () => {},
    }
  }
  if (redisIsInstalled) return startRedis()
  if (process.env.CI)
    throw new Error('no Redis: neither a server on port 6379 nor a redis-server on the PATH')
  console.warn(
    'SKIPPED: the tests on Redis, because there is neither a server on port 6379 nor a redis-server on the PATH',
  )
  return undefined
}

export interface RedisCluster {
  nodes: RedisServer[]
  remove(): Promise<void>
}

/** Starts three masters that share the slots. Each master has this number of replicas, which take over soon. */
export async function startRedisCluster(replicas: 0 | 1 = 0): Promise<RedisCluster> {
  const nodes = await startClusterNodes(3 * (1 + replicas))
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  nodes[0]?.cli('--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes')
  return clusterOf(nodes)
}

/** Starts a master with all slots, and its replica. Without other masters, the replica takes over only on a command. */
export async function startRedisShard(): Promise<RedisCluster> {
  const nodes = await startClusterNodes(2)
  const [master, replica] = nodes
  if (!(master && replica)) throw new Error('no nodes')
  master.cli('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  replica.cli(
    'CLUSTER',
    'MEET',
    '127.0.0.1',
    String(master.port),
    master.cli('CONFIG', 'GET', 'cluster-port').split('\n')[1] ?? '',
  )
  const masterId = master.cli('CLUSTER', 'MYID')
  await until(() => replica.cli('CLUSTER', 'NODES').includes(masterId), 'nodes that have met')
  await until(() => replica.cli('CLUSTER', 'REPLICATE', masterId) === 'OK', 'a replica')
  return clusterOf(nodes)
}

function startClusterNodes(count: number): Promise<RedisServer[]> {
  return Promise.all(Array.from({ length: count }, () => startClusterNode()))
}

/** Another process may use a free port before the server starts. In this case, the cluster starts on other ports. */
async function startClusterNode(tries = 3): Promise<RedisServer> {
  const busPort = String(await freePort())
  const options = ['--cluster-enabled', 'yes', '--cluster-port', busPort, '--cluster-node-timeout', '2000']
  try {
    return await startRedis(...options)
  } catch (error) {
    if (tries === 1) throw error
    return startClusterNode(tries - 1)
  }
}

async function clusterOf(nodes: RedisServer[]): Promise<RedisCluster> {
  for (const node of nodes) {
    await until(() => node.cli('CLUSTER', 'INFO').includes('cluster_state:ok'), 'a cluster that is ok')
    // Clients get the addresses of only the nodes in this list.
    const known = () => node.cli('CLUSTER', 'SLOTS')
    await until(() => nodes.every(({ port }) => known().includes(String(port))), 'nodes that know each other')
    // A replica cannot take over until it has the data of its master.
    const replication = () => node.cli('INFO', 'replication')
    await until(() => !replication().includes('master_link_status:down'), 'a replica that has its data')
  }
  return {
    nodes,
    remove: async () => void (await Promise.all(nodes.map((node) => node.remove()))),
  }
}

/** Starts three sentinels. A master counts as down when it has not answered two sentinels for a second. */
export async function startSentinels(name: string, master: RedisServer) {
  const folder = await mkdtemp(join(tmpdir(), 'scim-sentinel-'))
  const monitor = `sentinel monitor ${name} 127.0.0.1 ${master.port} 2`
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  const children = await Promise.all(
    ports.map(async (port) => {
      const file = join(folder, `${port}.conf`)
      await writeFile(file, `${monitor}\nsentinel down-after-milliseconds ${name} 1000\n`)
      const child = spawn('redis-server', [file, '--sentinel', '--port', String(port)], { stdio: 'ignore' })
      await untilAnswering(port)
      const known = () => cli(port, ['INFO', 'sentinel'])
      await until(() => /slaves=[1-9].*sentinels=3/.test(known()), 'sentinels that know each other')
      return child
    }),
  )
  return {
    ports,
    async remove() {
      for (const child of children) child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function cli(port: number, command: string[]): string {
  const { stdout, stderr, status } = spawnSync('redis-cli', ['-p', String(port), ...command])
  if (status !== 0) throw new Error(`redis-cli: ${stderr}`)
  return stdout.toString().trim()
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Returns whether a Redis on this port answers PING. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => end(false))
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')))
    socket.once('error', () => end(false))
  })
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (isSo()) return
    await sleep(50)
  }
  throw new Error(`not within 20 s: ${what}`)
}

async function untilAnswering(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await answers(port)) return
    await sleep(25)
  }
  throw new Error(`redis-server did not start on port ${port}`)
}
