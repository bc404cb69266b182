import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { chownSync, globSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A PostgreSQL that a test may stop, freeze and break. */
export class PostgresServer {
  readonly port: number
  readonly #bin: string
  readonly #folder: string
  readonly #owner: { uid: number; gid: number } | undefined
  #postmaster: ChildProcess | undefined
  /** This handler also removes the servers of an interrupted run. */
  readonly #atExit = () => {
    this.thaw()
    this.#postmaster?.kill('SIGQUIT')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  private constructor(port: number, bin: string) {
    this.port = port
    this.#bin = bin
    this.#folder = mkdtempSync(join(tmpdir(), 'scim-postgres-'))
    // PostgreSQL refuses to run as root.
    if (process.getuid?.() === 0) {
      const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres']))
      this.#owner = { uid: idOf('-u'), gid: idOf('-g') }
      chownSync(this.#folder, this.#owner.uid, this.#owner.gid)
    }
  }

  /** Returns a running server, or `undefined` if PostgreSQL is not installed. */
  static async start(settings: Record<string, string> = {}): Promise<PostgresServer | undefined> {
    const bin = binFolder()
    if (bin === undefined) return undefined
    const server = new PostgresServer(await freePort(), bin)
    const flags = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-locale']
    await run(join(bin, 'initdb'), ['-D', server.#folder, ...flags], { cwd: '/', ...server.#owner })
    process.once('exit', server.#atExit)
    await server.start(settings)
    return server
  }

  /** Returns a running standby of this server, which is read-only until it is promoted. */
  async standby(): Promise<PostgresServer> {
    const standby = new PostgresServer(await freePort(), this.#bin)
    const flags = [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      '-U',
      'postgres',
      '--checkpoint=fast',
      '--no-sync',
      '-R',
    ]
    await run(join(this.#bin, 'pg_basebackup'), ['-D', standby.#folder, ...flags], {
      cwd: '/',
      ...this.#owner,
    })
    process.once('exit', standby.#atExit)
    await standby.start()
    return standby
  }

  get uri(): string {
    return `postgresql://postgres@127.0.0.1:${this.port}/postgres`
  }

  async start(settings: Record<string, string> = {}): Promise<void> {
    const all = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: 'off',
      max_connections: '100',
      ...settings,
    }
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const options = { cwd: '/', stdio: 'ignore' as const, ...this.#owner }
    this.#postmaster = spawn(join(this.#bin, 'postgres'), ['-D', this.#folder, ...flags], options)
    for (let tries = 0; ; tries++) {
      try {
        await this.sql('SELECT 1')
        return
      } catch (error) {
        if (tries === 100) throw error
        await sleep(100)
      }
    }
  }

  /** Runs SQL through psql, so that a restart of the server breaks no connection. */
  async sql(text: string): Promise<string> {
    const flags = [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      '-U',
      'postgres',
      '-qAtX',
      '-v',
      'ON_ERROR_STOP=1',
    ]
    const { stdout } = await run(join(this.#bin, 'psql'), [...flags, '-c', text, 'postgres'])
    return stdout.trim()
  }

  /** `fast` informs every connection. `immediate` is like a crash. */
  async stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const postmaster = this.#postmaster
    this.#postmaster = undefined
    if (!postmaster) return
    const ended = new Promise((resolve) => postmaster.once('exit', resolve))
    postmaster.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }

  /** Stops all processes of the server. Its connections stay open. */
  freeze(): void {
    for (const pid of this.#processes()) process.kill(pid, 'SIGSTOP')
  }

  thaw(): void {
    for (const pid of this.#processes().reverse()) process.kill(pid, 'SIGCONT')
  }

  async remove(): Promise<void> {
    process.off('exit', this.#atExit)
    this.thaw()
    await this.stop('immediate')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Returns the processes, with the postmaster first, because it starts the other processes. */
  #processes(): number[] {
    const pid = this.#postmaster?.pid
    if (pid === undefined) return []
    const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    const children = listed
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, parent]) => parent === pid)
      .map(([child]) => child ?? 0)
    return [pid, ...children]
  }
}

function binFolder(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'initdb'))
  const installed = globSync('/usr/lib/postgresql/*/bin/initdb').sort().reverse()
  const [found] = [...onPath, ...installed].filter((path) => globSync(path).length > 0)
  return found === undefined ? undefined : dirname(realpathSync(found))
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
