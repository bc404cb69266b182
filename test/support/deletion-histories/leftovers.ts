import type { SyncReport } from '@scalekit-scim/core/sync'
import type { Row } from './accounts.ts'
import type { Stage } from './stage.ts'

/**
 * Returns the users who left and are neither deleted nor held with an approval, after two full passes without faults.
 */
export function unsettled(stage: Stage, report: SyncReport): string[] {
  const held = report.organizations
    .flatMap(({ directories }) => directories.flatMap((directory) => directory.held))
    .filter(({ approval }) => approval !== undefined)
  const ids = new Set(held.flatMap((one) => one.ids))
  return [
    ...leavers(stage)
      .filter(({ id }) => !ids.has(id))
      .map(({ id }) => `${id} has left, and is neither deleted nor held with an approval`),
    ...missing(stage),
  ]
}

/** Returns the users who left and still exist after all approvals and two more full passes. */
export function leftovers(stage: Stage): string[] {
  return [
    ...leavers(stage).map(({ id }) => `${id} has left, and is still there after everything was approved`),
    ...missing(stage),
  ]
}

/** Returns the rows of users who are no longer in a directory. The directory is known, or was always the only one. */
function leavers({ accounts, environment }: Stage): Row[] {
  return accounts.live().filter(({ id, organizationId, directoryId, own }) => {
    if (own || environment.members.get(id)?.present) return false
    const ever = environment.everOf(organizationId)
    const isPlaced = directoryId !== null || ever.length === 1
    const open = ever.filter(({ enabled, removed }) => enabled && !removed)
    const own_ = ever.find((directory) => directory.id === directoryId)
    // Passes do not read disabled directories, or organizations without a directory.
    return isPlaced && open.length > 0 && (own_?.enabled ?? true)
  })
}

/** Returns the users who are in an enabled directory, but not in the application. */
function missing({ accounts, environment }: Stage): string[] {
  return [...environment.members.values()]
    .filter(({ present, directory }) => present && directory.enabled && !directory.removed)
    .filter(({ id }) => accounts.rows.get(id)?.deleted !== false)
    .map(({ id }) => `${id} is in a directory, and the application does not have them`)
}
