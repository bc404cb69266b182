import { createHash } from 'node:crypto'
import type { DirectoryRef } from './records.ts'
import type { HeldReason } from './report.ts'

export interface DeletionLimits {
  /** So many of one kind go without a question, however small the directory. */
  maxCount: number
  /** The share of a directory's users, or of its groups, that goes without a question. */
  maxShare: number
}

/** What one complete walk saw. */
export interface WalkTally {
  /** Different ids. */
  unique: number
  /** What the pages said that there are; `undefined` where they did not agree with each other. */
  totalSize: number | undefined
  /** Whether it brought fewer records than its last page said that there are. */
  short: boolean
}

export interface DeletionCase {
  directory: DirectoryRef
  kind: 'user' | 'group'
  /** How many the application has. */
  known: number
  /** Whether all of these are sure to be this directory's, and not another's of the organization. */
  placed: boolean
  /** Those that no walk has seen. */
  candidates: readonly string[]
  /** The second begun after the first had ended; there is none where the first did not add up. */
  walks: readonly [WalkTally, WalkTally] | readonly [WalkTally]
  /** Whether the second met all whom the first had met. */
  steady: boolean
  /** Asked after the walks. */
  enabled: boolean
}

/** Where a person had to decide, and has, `approval` says by which. */
export type Verdict =
  | { apply: readonly string[]; approval?: string }
  | { held: HeldReason; approval?: string }

/**
 * Whether the records that the directory does not list any more may go. Paging promises no snapshot: where somebody
 * leaves whom the reader has passed, all who follow move up, and one slips past between two pages; should somebody else
 * join, even the numbers add up. But then who left is missing from a second walk. So two are believed that each add up,
 * and of which the second met all whom the first had met.
 *
 * How much goes by that alone is limited, since a filter that was set wrong looks like people who have left.
 */
export function judgeDeletions(
  subject: DeletionCase,
  limits: DeletionLimits,
  approvals: ReadonlySet<string>,
): Verdict {
  const { walks, steady, candidates, enabled } = subject
  if (walks.length < 2 || !walks.every(addsUp) || !steady) return { held: 'unsettled' }
  if (!enabled) return { held: 'directory-disabled' }

  // Nobody can approve this: the other directory's people, who are there, would be among them.
  if (!subject.placed) return { held: 'several-directories' }

  const reason = reasonToAsk(subject, limits)
  if (reason === undefined) return { apply: candidates }
  const approval = approvalOf(subject)
  return approvals.has(approval) ? { apply: candidates, approval } : { held: reason, approval }
}

/** What a walk saw is what its pages had announced, all of them alike. */
export function addsUp({ unique, totalSize }: Pick<WalkTally, 'unique' | 'totalSize'>): boolean {
  return unique === totalSize
}

function reasonToAsk(
  { candidates, known, walks }: DeletionCase,
  { maxCount, maxShare }: DeletionLimits,
): HeldReason | undefined {
  const count = candidates.length
  if (walks.some(({ unique }) => unique === 0)) return 'nothing-listed'
  if (count > known / 2) return 'over-half'
  return count > Math.max(maxCount, maxShare * known) ? 'over-limit' : undefined
}

/** Names a set of deletions: the same for the same ids in any order, and for no other set. */
export function approvalOf({
  directory,
  kind,
  candidates,
}: Pick<DeletionCase, 'directory' | 'kind' | 'candidates'>): string {
  // As JSON, so that no id can be taken for two. In hexadecimal: no command line takes it for an option.
  const set = [directory.organizationId, directory.id, kind, [...candidates].sort()]
  return createHash('sha256').update(JSON.stringify(set)).digest('hex')
}
