// `npm run bench`: runs the tables, each in a process of its own, and prints their reports.
import { existsSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { Display } from './display.ts'
import { machine, versions } from './environment.ts'
import { isKept } from './report.ts'
import { serverStates } from './stores.ts'
import { runTable, type TableResult } from './table-run.ts'
import { type Table, tables } from './tables.ts'

/** A mistake in the arguments: printed as a message without a stack. */
class UsageError extends Error {}

const fewestRounds = 5

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments()
  if (values.help) {
    console.log(help())
    return 0
  }
  const selected = select(positionals)
  const rounds = values.rounds === undefined ? undefined : roundsOf(values.rounds)
  if (!existsSync(new URL('../packages/express/dist', import.meta.url))) {
    throw new UsageError('The packages are not built. Run `npm run bench`, or first `pnpm build`.')
  }

  const startedAt = new Date()
  const servers = await serverStates(
    selected.flatMap(({ scripts }) => scripts.flatMap(({ stores = [] }) => stores)),
  )
  const environment = { machine: machine(), versions: versions(servers) }
  const display = new Display()
  display.environment(environment)

  const stopping = new AbortController()
  let stoppedBy: 'SIGINT' | 'SIGTERM' | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      stoppedBy ??= signal
      stopping.abort()
    })
  }
  const results: TableResult[] = []
  for (const table of selected) {
    if (stopping.signal.aborted) break
    const listener = display.listenerFor(table.name)
    results.push(await runTable(table, { rounds, servers, signal: stopping.signal }, listener))
  }
  display.summary(results)
  if (values.json !== undefined) {
    const json = { startedAt, ...environment, rounds, tables: results }
    writeFileSync(values.json, `${JSON.stringify(json, null, 2)}\n`)
  }
  if (stoppedBy) return 128 + constants.signals[stoppedBy]
  return results.every(isGood) ? 0 : 1
}

function isGood({ reports, failures }: TableResult): boolean {
  return failures.length === 0 && reports.every(({ verdicts }) => verdicts.every(isKept))
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n\n${help()}`)
  }
}

function select(names: readonly string[]): readonly Table[] {
  const unknown = names.filter((name) => !tables.some((table) => table.name === name))
  if (unknown.length > 0) {
    const known = tables.map(({ name }) => name).join(', ')
    throw new UsageError(`There is no table '${unknown.join("', '")}'. The tables: ${known}.`)
  }
  return tables.filter(({ name, onlyIfNamed }) =>
    names.length > 0 ? names.includes(name) : onlyIfNamed === undefined,
  )
}

function roundsOf(text: string): number {
  const rounds = Number(text)
  if (Number.isInteger(rounds) && rounds > 0) return rounds
  throw new UsageError(`--rounds must be a whole number above 0, such as ${fewestRounds}.`)
}

function help(): string {
  const width = Math.max(...tables.map(({ name }) => name.length))
  const lines = tables.map(
    ({ name, about, onlyIfNamed }) =>
      `  ${name.padEnd(width)}  ${about}${onlyIfNamed ? ` (only if named: ${onlyIfNamed})` : ''}`,
  )
  return `npm run bench -- [tables…] [--rounds n] [--json file]

Without tables, runs all tables that do not need to be named.

${lines.join('\n')}

  --rounds n   The number of measured rounds. Fewer than ${fewestRounds} rounds are only for a short look.
  --json file  Writes the machine, the versions and all values of all rounds to a file.

The servers: REDIS_URL and POSTGRES_URL, or the usual local ports. The exit code is 1 if a limit is exceeded or a table
failed.`
}
