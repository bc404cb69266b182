import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { mariadbServer } from '../support/mariadb-server.ts'

/** A separate server that a test may kill and freeze. */
export interface OwnServer {
  url: string
  /** Kills the server with SIGKILL, which is like a power failure. */
  kill(): Promise<void>
  /** Starts the server after a kill. Resolves when it answers. */
  start(): Promise<void>
  freeze(): void
  thaw(): void
  /** Kills the server and removes its folder. */
  destroy(): Promise<void>
}

interface Program {
  command: string
  args: string[]
  ready(): Promise<boolean>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) signalServers(child, 'SIGKILL')
})

/** Redis without a file. After a restart, it is empty. */
export async function ownRedis(): Promise<OwnServer | undefined> {
  const command = onPath('redis-server')
  if (!command) return undefined
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'scim-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  return run(`redis://127.0.0.1:${port}`, folder, { command, args, ready: () => answers(port, 'PING\r\n') })
}

/** PostgreSQL with its data on disk. */
export async function ownPostgres(): Promise<OwnServer | undefined> {
  const bin = postgresBin()
  if (!bin) return undefined
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'scim-postgres-'))
  const user = unprivileged()
  if (user) chownSync(folder, user.uid, user.gid)
  const as = (command: string, args: string[]) =>
    user
      ? {
          command: 'setpriv',
          args: [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', command, ...args],
        }
      : { command, args }
  const data = join(folder, 'data')
  const made = as(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '-E', 'UTF8'])
  execFileSync(made.command, made.args, { stdio: 'ignore' })
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`]
  const postgres = as(join(bin, 'postgres'), [
    '-D',
    data,
    ...settings.flatMap((setting) => ['-c', setting]),
    '-c',
    'max_connections=100',
  ])
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  return run(url, folder, { ...postgres, ready: () => acceptsQueries(url) })
}

/** MariaDB with its data on disk. */
export async function ownMysql(): Promise<OwnServer | undefined> {
  const server = await mariadbServer()
  if (!server) return undefined
  await server.start()
  return { ...server, url: server.uri, destroy: () => server.remove() }
}

async function acceptsQueries(url: string): Promise<boolean> {
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 1000 })
  pool.on('error', () => {})
  try {
    await pool.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await pool.end()
  }
}

async function run(url: string, folder: string, { command, args, ready }: Program): Promise<OwnServer> {
  let child: ChildProcess | undefined
  const server: OwnServer = {
    url,
    start: async () => {
      // The shell reads from this process, and stops the server when this process exits. The shell waits for the
      // server, so that no zombie process keeps the pid.
      child = spawn('sh', ['-c', '"$0" "$@" & read _; kill -9 $! 2>&-; wait', command, ...args], {
        stdio: ['pipe', 'ignore', process.env.CHAOS_LOG ? 'inherit' : 'ignore'],
      })
      running.add(child)
      while (!(await ready())) await sleep(50)
    },
    kill: async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      signalServers(child, 'SIGKILL')
      child.stdin?.end()
      await exited
      running.delete(child)
    },
    freeze: () => signalServers(child, 'SIGSTOP'),
    thaw: () => signalServers(child, 'SIGCONT'),
    destroy: async () => {
      await server.kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
  await server.start()
  return server
}

/** Sends a signal to the server, but not to the shell, because the shell must detect the exit of this process. */
function signalServers(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (child?.pid === undefined) return
  for (const pid of descendants(child.pid)) signalOne(pid, signal)
}

/** Returns all descendants of a process, because PostgreSQL's backends have their own process groups. */
function descendants(pid: number): number[] {
  const parents = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const below = (parent: number): number[] =>
    parents.flatMap(([child = 0, itsParent]) => (itsParent === parent ? [child, ...below(child)] : []))
  return below(pid)
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // The process has already exited.
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/**
 * Returns whether a server on the port answers the question. Without a question, returns whether it accepts a
 * connection.
 */
export function answers(port: number, question = ''): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.on('error', () => end(false))
    socket.setTimeout(1000, () => end(false))
    socket.on('connect', () => (question === '' ? end(true) : socket.write(question)))
    socket.on('data', () => end(true))
  })
}

function onPath(command: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find(existsSync)
}

/** Debian does not put the server's programs on the PATH. */
function postgresBin(): string | undefined {
  const initdb = onPath('initdb')
  if (initdb) return join(initdb, '..')
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return undefined
  return readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
}

/** PostgreSQL refuses to run as root, so the server runs as this user. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
