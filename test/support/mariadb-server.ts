import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MariadbServer {
  /** The address of the database `test`, with an account that has all rights. */
  uri: string
  start(): Promise<void>
  /** Kills the server with SIGKILL, so that it writes nothing before it exits. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  remove(): Promise<void>
}

/** Returns a separate MariaDB for the test, which is not started yet. `undefined` if MariaDB is not on the PATH. */
export async function mariadbServer(): Promise<MariadbServer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'scim-mariadb-'))
  // MariaDB refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ['--user=mysql'] : []
  try {
    if (asUser.length > 0) execFileSync('chown', ['mysql', folder])
    execFileSync(
      'mariadb-install-db',
      ['--no-defaults', `--datadir=${folder}`, '--auth-root-authentication-method=normal', ...asUser],
      { stdio: 'ignore' },
    )
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  const port = await freePort()
  let child: ChildProcess | undefined

  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    uri: `mysql://root@127.0.0.1:${port}/test`,
    async start() {
      child = spawn(
        'mariadbd',
        [
          '--no-defaults',
          `--datadir=${folder}`,
          `--socket=${join(folder, 'socket')}`,
          `--pid-file=${join(folder, 'pid')}`,
          `--port=${port}`,
          '--bind-address=127.0.0.1',
          '--innodb-buffer-pool-size=16M',
          ...asUser,
        ],
        { stdio: 'ignore' },
      )
      const answers = () => {
        try {
          execFileSync('mariadb-admin', ['--no-defaults', '-h127.0.0.1', `-P${port}`, '-uroot', 'ping'], {
            stdio: 'ignore',
          })
          return true
        } catch {
          return false
        }
      }
      while (!answers()) {
        if (child.exitCode !== null) throw new Error('mariadbd exited at its start')
        await sleep(100)
      }
    },
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async remove() {
      child?.kill('SIGCONT')
      await end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
