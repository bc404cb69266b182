import { parseArgs } from 'node:util'
import { formatReport, type SyncReport } from '@scalekit-scim/core/sync'
import { createDispatcher } from '@scalekit-scim/express'
import { Accounts } from './accounts.ts'
import { openDatabase } from './database.ts'
import { directoryHandlers } from './directory-handlers.ts'
import { Groups } from './groups.ts'
import { openLedgerStore } from './ledger-store.ts'
import { progressLine } from './progress-line.ts'
import { openSync } from './sync.ts'

const usage = `Usage: npm run sync -- [options]

Runs one pass over the directories of all organizations. The server can run during the pass.
If the server is running a pass, this command exits with 1.

  --full                 read everything, and delete users and groups that are no longer listed;
                         without --full, read only the changes since the last pass
  --dry-run              only show the changes
  --approve <approval>   make the deletions that an earlier pass held; can be repeated
  --organization <org_…> read only this organization; can be repeated
  --help                 show this text

Exit codes: 0 for a complete pass, 3 for held deletions, 2 for wrong usage.
In other cases, the code is 1, for example if an approval does not match any deletions.
`

process.exitCode = await main()

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>
  try {
    options = readOptions()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    return 2
  }
  if (options === undefined) {
    console.log(usage)
    return 0
  }

  const file = process.env.DATABASE_FILE || './accounts.db'
  const database = openDatabase(file)
  const ledger = openLedgerStore(file)
  const groups = new Groups(database)
  const accounts = new Accounts(database, groups)
  const dispatcher = createDispatcher({ ...directoryHandlers(accounts, groups), store: ledger.store })
  const cancelled = new AbortController()
  process.once('SIGINT', () => cancelled.abort())
  process.once('SIGTERM', () => cancelled.abort())
  const line = progressLine(process.stderr)
  try {
    const sync = await openSync({ dispatcher, accounts, groups, env: process.env, quiet: true })
    const report = await sync.run({ ...options, signal: cancelled.signal, onProgress: line.show })
    line.clear()
    console.log(formatReport(report))
    if (asksForApproval(report)) console.log('To approve: npm run sync -- --approve <approval>')
    if (report.outcome !== 'complete' || report.unusedApprovals.length > 0) return 1
    return report.totals.users.held + report.totals.groups.held > 0 ? 3 : 0
  } catch (error) {
    line.clear()
    console.error(error instanceof Error ? error.message : error)
    return 1
  } finally {
    await dispatcher.close()
    database.close()
    await ledger.close()
  }
}

function asksForApproval({ organizations }: SyncReport): boolean {
  const held = organizations.flatMap(({ directories }) => directories.flatMap((directory) => directory.held))
  return held.some(({ approval, approvedUntil }) => approval !== undefined && approvedUntil === undefined)
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      approve: { type: 'string', multiple: true },
      organization: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return undefined
  return {
    mode: values.full ? ('full' as const) : ('incremental' as const),
    dryRun: values['dry-run'] ?? false,
    approve: values.approve ?? [],
    ...(values.organization ? { organizations: values.organization } : {}),
  }
}
