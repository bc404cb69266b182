import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TEST_SECRET } from '@scalekit-scim/core/testing'

export const folder = fileURLToPath(new URL('../', import.meta.url))

/** The environment variables that a Node program needs, without the variables of a `.env` and of the test runner. */
const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...inherited } = process.env
export const environment = inherited

export interface Program {
  child: ChildProcess
  /** The whole output of the process. */
  output(): string
  /** Resolves with the next line that contains the text. Also finds lines that the process printed before the call. */
  line(part: string): Promise<string>
  /** The exit code, or the name of the signal. */
  ended: Promise<unknown>
}

export function run(
  t: TestContext,
  args: string[],
  env: NodeJS.ProcessEnv,
  { cwd = folder, command = process.execPath } = {},
): Program {
  const child = spawn(command, args, {
    cwd,
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      child.emit('said')
    })
  }
  return {
    child,
    output: () => lines.join('\n'),
    ended: once(child, 'close').then(([code, signal]) => code ?? signal),
    async line(part) {
      for (;;) {
        const found = lines.find((line) => line.includes(part))
        if (found !== undefined) return found
        if (child.exitCode !== null) throw new Error(`ended without printing ${part}:\n${lines.join('\n')}`)
        await Promise.race([once(child, 'said'), once(child, 'close')])
      }
    },
  }
}

export interface Server extends Program {
  url: string
}

/** Starts the real server with `NODE_ENV=production`, on its own port. */
export async function startServer(
  t: TestContext,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<Server> {
  const settings = {
    NODE_ENV: 'production',
    SCALEKIT_WEBHOOK_SECRET: TEST_SECRET,
    HOST: '127.0.0.1',
    PORT: '0',
    ...env,
  }
  const program = run(t, [...args, 'src/server.ts'], settings)
  const line = await program.line('Server listening')
  const url = /http:[^"\s]+/.exec(line)?.[0]
  if (url === undefined) throw new Error(`no address in ${line}`)
  return { ...program, url }
}
