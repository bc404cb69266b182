import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { path } from './baselines.ts'
import type { Delivery } from './deliveries.ts'
import type { Load } from './load.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('wrk.lua', import.meta.url))

/** Returns the version of wrk. If wrk is not installed, returns `undefined`. */
export async function wrkVersion(): Promise<string | undefined> {
  // wrk prints its version with its usage, and exits with 1.
  const { stdout = '' }: { stdout?: string } = await run('wrk', ['--version']).catch((error) => error)
  return /^wrk (\S+)/.exec(stdout)?.[1]
}

/** Sends deliveries with wrk, for a fixed time or until its deliveries are used up. */
export async function sendWithWrk(
  port: number,
  deliveries: readonly Delivery[],
  connections: number,
  seconds: number,
): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'scim-bench-'))
  try {
    const file = join(folder, 'requests')
    await writeFile(file, deliveries.flatMap(requestOf))
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', script]
    const { stdout } = await run('wrk', [...args, `http://127.0.0.1:${port}${path}`, '--', file])
    const { failed, ...load } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{')))
    if (failed > 0 || load.requests === 0) throw new Error(`${failed} of ${load.requests} requests failed`)
    return load
  } finally {
    await rm(folder, { recursive: true })
  }
}

function requestOf({ headers, body }: Delivery): Buffer[] {
  const lines = Object.entries({ ...headers, 'content-length': String(body.length) })
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  const length = String(Buffer.byteLength(head) + body.length).padStart(8, '0')
  return [Buffer.from(length + head), body]
}
