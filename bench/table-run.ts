import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Message, Report } from './report.ts'
import type { ServerState, StoreName } from './stores.ts'
import type { Script, Table } from './tables.ts'

/** The result of one table. */
export interface TableResult {
  table: string
  seconds: number
  reports: Report[]
  /** The reasons why parts of the table failed. */
  failures: string[]
}

export interface TableListener {
  progress(text: string): void
  report(report: Report): void
  failure(reason: string): void
}

export interface TableOptions {
  rounds?: number | undefined
  servers: ReadonlyMap<StoreName, ServerState>
  signal: AbortSignal
}

/** The last lines of a script's error output explain its failure. */
const shownErrorCharacters = 4000

/** Runs the scripts of a table, one after the other. */
export async function runTable(
  { name, scripts }: Table,
  { rounds, servers, signal }: TableOptions,
  listener: TableListener,
): Promise<TableResult> {
  const startedMs = performance.now()
  const result: TableResult = { table: name, seconds: 0, reports: [], failures: [] }
  const fail = (reason: string) => {
    result.failures.push(reason)
    listener.failure(reason)
  }
  for (const script of scripts) {
    if (signal.aborted) break
    const missing = (script.stores ?? []).flatMap((store) => {
      const state = servers.get(store)
      return state && 'unreachable' in state ? [state.unreachable] : []
    })
    if (missing.length > 0) {
      fail(missing.join(' '))
      continue
    }
    const failure = await runScript(script, rounds, signal, (message) => {
      if ('progress' in message) return listener.progress(message.progress)
      result.reports.push(message.report)
      listener.report(message.report)
    })
    if (failure !== undefined && !signal.aborted) fail(`${script.file} ${failure}`)
  }
  result.seconds = (performance.now() - startedMs) / 1000
  return result
}

/** Runs one script until its process ends. Returns the reason if the script failed. */
async function runScript(
  { file, args = [], flags = [] }: Script,
  rounds: number | undefined,
  signal: AbortSignal,
  onMessage: (message: Message) => void,
): Promise<string | undefined> {
  const child = fork(new URL(file, import.meta.url), args, {
    execArgv: ['--disable-warning=ExperimentalWarning', ...flags],
    env: { ...process.env, ...(rounds === undefined ? {} : { BENCH_ROUNDS: String(rounds) }) },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  const errorOutput = lastCharacters(child)
  let reports = 0
  child.on('message', (message: Message) => {
    if ('report' in message) reports++
    onMessage(message)
  })
  // The script can clean up before it exits.
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const [code, killedBy] = await once(child, 'close')
  signal.removeEventListener('abort', stop)

  // After a report, code 1 means that a limit is exceeded.
  if (code === 0 || (code === 1 && reports > 0 && errorOutput() === '')) {
    return reports > 0 ? undefined : 'ended without a report'
  }
  return `ended with ${killedBy ?? `code ${code}`}\n${errorOutput()}`.trimEnd()
}

function lastCharacters({ stderr }: ChildProcess): () => string {
  let text = ''
  stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-shownErrorCharacters)
  })
  return () => text
}
