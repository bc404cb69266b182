import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))
const sourceImports = new URL('../docs/source-imports.mjs', import.meta.url).href

const { SCALEKIT_WEBHOOK_SECRET: _, FORCE_COLOR: __, NODE_OPTIONS: ___, ...inherited } = process.env

export interface Ran {
  exitCode: number | null
  stdout: string
  stderr: string
}

export interface Surroundings {
  env?: NodeJS.ProcessEnv
  /** The standard input of the command. */
  input?: string
}

/** Starts the command from its sources as a separate process. */
export function startCommand(args: readonly string[], { env = {}, input = '' }: Surroundings = {}) {
  const child = spawn(process.execPath, ['--import', sourceImports, main, ...args], {
    env: { ...inherited, ...env },
    stdio: 'pipe',
  })
  child.stdin.end(input)
  return child
}

export async function runCommand(args: readonly string[], surroundings?: Surroundings): Promise<Ran> {
  const child = startCommand(args, surroundings)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { exitCode: child.exitCode, stdout, stderr }
}
