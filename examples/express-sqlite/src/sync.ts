import {
  type Counts,
  createDirectorySync,
  type DirectorySync,
  formatReport,
  type SyncReport,
  scalekitFromEnv,
} from '@scalekit-scim/core/sync'
import type { Dispatcher } from '@scalekit-scim/express'
import type { Accounts } from './accounts.ts'
import type { Groups } from './groups.ts'

export interface SyncOptions {
  dispatcher: Dispatcher
  accounts: Accounts
  groups: Groups
  env: NodeJS.ProcessEnv
  /** If `true`, does not print reports, because the caller prints them. @default false */
  quiet?: boolean
}

export const apiVariables = ['SCALEKIT_ENVIRONMENT_URL', 'SCALEKIT_CLIENT_ID', 'SCALEKIT_CLIENT_SECRET']
const hour = '3600'
const day = '86400'

/** Whether the environment has any of Scalekit's API credentials. Without credentials, the sync does not run. */
export function wantsSync(env: NodeJS.ProcessEnv): boolean {
  return apiVariables.some((name) => env[name])
}

/**
 * Applies the changes of lost webhooks: reads the directories, and passes each difference to the webhook handlers.
 * @throws ConfigurationError if a credential is missing
 */
export async function openSync({
  dispatcher,
  accounts,
  groups,
  env,
  quiet = false,
}: SyncOptions): Promise<DirectorySync> {
  return createDirectorySync({
    scalekit: await scalekitFromEnv(env),
    dispatcher,
    organizations: 'all',
    known: {
      users: ({ organizationId }) => accounts.known(organizationId),
      groups: ({ organizationId }) => groups.known(organizationId),
    },
    schedule: env.SYNC_CRON
      ? { cron: env.SYNC_CRON }
      : { everySeconds: Number(env.SYNC_EVERY_SECONDS || hour) },
    fullEverySeconds: Number(env.SYNC_FULL_EVERY_SECONDS || day),
    onReport(report) {
      const text = quiet || report.outcome === 'busy' ? '' : textOf(report)
      if (text) console.log(text)
    },
  })
}

/**
 * If the pass is not complete or holds deletions, returns the whole report. If a complete pass has changes, returns one
 * line. Without changes, returns an empty string.
 */
function textOf(report: SyncReport): string {
  const { users, groups } = report.totals
  if (report.outcome !== 'complete' || users.held + groups.held > 0) return formatReport(report)
  const found = [...foundIn('users', users), ...foundIn('groups', groups)]
  return found.length === 0 ? '' : `Sync: ${found.join(', ')}`
}

function foundIn(kind: string, { seen, unchanged, repeated, ...found }: Counts): string[] {
  return Object.entries(found).flatMap(([name, count]) => (count > 0 ? [`${kind} ${count} ${name}`] : []))
}
