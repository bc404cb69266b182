import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Runs a block of the documentation in its own process, with the packages' sources. */
export function runBlock(path: string, code: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  writeFileSync(path, code)
  const preload = new URL('source-imports.mjs', import.meta.url).href
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--import', preload, path], {
    env: { ...process.env, ...env, NODE_OPTIONS: '', NODE_ENV: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Returns the output of the process so far. */
export function collect(child: ChildProcess): () => string {
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}
