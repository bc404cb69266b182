import { createHash } from 'node:crypto'
import type { Instant } from '@scalekit-scim/core/internal'
import type { DirectoryRef, Kind } from '../reading/records.ts'
import type { StickyReason } from '../reporting/report.ts'
import { approvalDays, dayOf } from './deletion-state.ts'
import type { HeldBatch } from './state-format.ts'

/** The values of a deletion case that determine its approvals. */
export interface BatchScope {
  directory: DirectoryRef
  kind: Kind['name']
  now: Instant
}

/**
 * Creates a batch of held deletions, which are approved together. If this run has an approval for exactly these ids,
 * the batch is approved at once.
 */
export function newBatch(
  scope: BatchScope,
  reason: StickyReason,
  ids: readonly string[],
  approvals: ReadonlySet<string>,
): HeldBatch {
  const { directory, now } = scope
  const sorted = [...ids].sort()
  const setOfIds = hexOf(sorted)
  const given = givenApproval(scope, setOfIds, approvals)
  return {
    approval: given ?? approvalOf(scope, setOfIds, dayOf(now)),
    directoryId: directory.id,
    reason,
    heldAt: now,
    approvedAt: given === undefined ? undefined : now,
    yieldedAt: now,
    open: ids.length,
    ids: sorted,
  }
}

/**
 * Finds the approval of this run that matches the ids. The approval comes from a dry run or an earlier process, and is
 * at most 7 days old.
 */
function givenApproval(
  scope: BatchScope,
  setOfIds: string,
  approvals: ReadonlySet<string>,
): string | undefined {
  const today = dayOf(scope.now)
  const lastDays = Array.from({ length: approvalDays + 1 }, (_, days) => today - days)
  return lastDays.map((day) => approvalOf(scope, setOfIds, day)).find((approval) => approvals.has(approval))
}

/** The approval for a set of ids on a day. */
function approvalOf({ directory, kind }: BatchScope, setOfIds: string, day: number): string {
  return hexOf([directory.organizationId, directory.id, kind, day, setOfIds])
}

/**
 * A hash of the values. JSON keeps `['a', 'b']` distinct from `['ab']`. The digits are hexadecimal, so on a command
 * line the hash never looks like an option.
 */
function hexOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex')
}
