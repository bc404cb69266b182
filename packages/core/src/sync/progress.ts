import type { Ledger } from '@scalekit-scim/core'
import type { Instant } from '@scalekit-scim/core/internal'
import { type Failures, formatFailures, noFailures, parseFailures } from './failures.ts'
import type { DirectoryRef } from './records.ts'

/** What is known of a directory's passes, by the store's clock. */
export interface Milestones {
  /** When its last good pass ended: whoever waits longest goes first. */
  completedAt: Instant
  /** When that pass began: an incremental one goes on from there. */
  startedAt: Instant
  /** When its last good full pass began; `never` where one is to settle what a pass left open. */
  fullStartedAt: Instant
  failures: Failures
}

/** For what has not happened yet. */
export const never: Instant = '0'.repeat(19)
/** Of a directory that no pass has finished. */
export const noMilestones: Milestones = {
  completedAt: never,
  startedAt: never,
  fullStartedAt: never,
  failures: noFailures,
}
/** Longer than anybody goes without a full pass; a directory that was left behind is forgotten. */
const keptSeconds = 35 * 86_400

/** One small record a directory, since an environment may have ten thousand. */
export async function readMilestones(
  ledger: Ledger,
  directory: DirectoryRef,
): Promise<Milestones | undefined> {
  return parse(await ledger.record(recordName(directory)).read())
}

/** Only the pass that has the lease writes, so there is nobody to lose against but one that lost it. */
export async function writeMilestones(
  ledger: Ledger,
  directory: DirectoryRef,
  { completedAt, startedAt, fullStartedAt, failures }: Milestones,
): Promise<void> {
  const record = ledger.record(recordName(directory))
  const text = `${completedAt} ${startedAt} ${fullStartedAt} ${formatFailures(failures)}`.trimEnd()
  await record.compareAndSet(await record.read(), text, keptSeconds)
}

function recordName({ organizationId, id }: DirectoryRef): string {
  return `sync:${encodeURIComponent(organizationId)}:${encodeURIComponent(id)}`
}

function parse(text: string | undefined): Milestones | undefined {
  const match = /^(\d{19}) (\d{19}) (\d{19})(?: (.*))?$/.exec(text ?? '')
  if (!match) return undefined
  const [, completedAt = '', startedAt = '', fullStartedAt = '', failures = ''] = match
  return { completedAt, startedAt, fullStartedAt, failures: parseFailures(failures) }
}
