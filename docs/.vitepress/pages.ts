import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Every page of the site, in the order of the sidebar. */
const groups: Record<string, string[]> = {
  Start: ['index.md', 'quickstart.md', 'which-pieces.md', 'faq.md'],
  Concepts: [
    'concepts/index.md',
    'concepts/attempts-and-leases.md',
    'concepts/ordering.md',
    'concepts/guarantees.md',
    'concepts/glossary.md',
  ],
  Guides: [
    'guides/database-guard.md',
    'guides/existing-users.md',
    'guides/access-ended.md',
    'guides/roles-from-groups.md',
    'guides/organizations.md',
    'guides/environments.md',
    'guides/slow-handlers.md',
    'guides/several-instances.md',
    'guides/backfill.md',
    'guides/recover-events.md',
    'guides/audit.md',
    'guides/testing.md',
    'guides/local.md',
    'guides/shutdown.md',
    'guides/logging.md',
    'guides/metrics-and-alerts.md',
    'guides/deployment.md',
    'guides/frameworks.md',
    'guides/troubleshooting.md',
  ],
  'Directory sync': [
    'sync/index.md',
    'sync/known.md',
    'sync/deletions.md',
    'sync/reports.md',
    'sync/scheduling.md',
    'sync/clocks.md',
    'sync/reading-the-api.md',
  ],
  Stores: [
    'stores/index.md',
    'stores/redis.md',
    'stores/postgres.md',
    'stores/mysql.md',
    'stores/sqlite.md',
    'stores/own-ledger.md',
  ],
  Reference: [
    'reference/options.md',
    'reference/handlers.md',
    'reference/events.md',
    'reference/outcomes.md',
    'errors.md',
    'reference/api.md',
    'compatibility.md',
  ],
  'Operations and tools': [
    'operations.md',
    'performance.md',
    'simulator/index.md',
    'simulator/console.md',
    'cli/index.md',
    'architecture.md',
  ],
}

const docs = fileURLToPath(new URL('..', import.meta.url))

/** The groups of the sidebar. The title of a page is its first heading. The label in the sidebar is shorter. */
export const pageGroups = Object.entries(groups).map(([name, files]) => ({
  name,
  pages: files.map((file) => ({ file, title: titleOf(file), label: labelOf(titleOf(file)) })),
}))

/** Returns the title up to a colon or a bracket. The rest of the title only helps the search. */
function labelOf(title: string): string {
  return title.replace(/(?::| \().*$/, '')
}

function titleOf(file: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(docs, file), 'utf8')) ?? []
  if (title === undefined)
    throw new Error(`docs/${file} needs a heading of the first level: it is the title.`)
  return title.replaceAll('`', '')
}
