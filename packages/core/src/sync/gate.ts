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
  /** How many the application has of this directory. */
  known: number
  /** Those of them that no walk has seen. */
  candidates: readonly string[]
  /** Whom no walk has seen either, and who may be another directory's of the organization. */
  unplaced: readonly string[]
  /** Nor these, who are of a directory that the organization does not have any more. */
  ofRemoved: readonly string[]
  /** The second begun after the first had ended; there is none where the first did not add up. */
  walks: readonly [WalkTally, WalkTally] | readonly [WalkTally]
  /** Whether the second met all whom the first had met, and the organization has the directories that it had. */
  steady: boolean
  /** Asked after the walks. */
  enabled: boolean
}

export interface Verdict {
  apply: readonly string[]
  /** Where a person had to decide, and has: by which. */
  approvals: readonly string[]
  held: readonly Held[]
}

interface Held {
  reason: HeldReason
  ids: readonly string[]
  approval?: string
}

/**
 * Whether the records that the directory does not list any more may go. Paging promises no snapshot: where somebody
 * leaves whom the reader has passed, all who follow move up, and one slips past between two pages; should somebody else
 * join, even the numbers add up. But then who left is missing from a second walk. So two are believed that each add up,
 * and of which the second met all whom the first had met.
 *
 * And the organization still has the directories that the pass began with: `known` may hold people of a newer one.
 *
 * How much goes by that alone is limited, since a filter that was set wrong looks like people who have left.
 */
export function judgeDeletions(
  subject: DeletionCase,
  limits: DeletionLimits,
  approvals: ReadonlySet<string>,
): Verdict {
  const { directory, kind, walks, steady, candidates, unplaced, ofRemoved, enabled } = subject
  const holdAll = (reason: HeldReason) => ({
    apply: [],
    approvals: [],
    held: [{ reason, ids: [...candidates, ...unplaced, ...ofRemoved] }],
  })
  if (walks.length < 2 || !walks.every(addsUp) || !steady) return holdAll('unsettled')
  if (!enabled) return holdAll('directory-disabled')

  const apply: string[] = []
  const approved: string[] = []
  const held: Held[] = []
  const decide = (ids: readonly string[], reason: HeldReason | undefined) => {
    if (ids.length === 0) return
    const approval = reason && approvalOf({ directory, kind, candidates: ids })
    if (reason && approval && !approvals.has(approval)) return held.push({ reason, ids, approval })
    if (approval) approved.push(approval)
    return apply.push(...ids)
  }
  decide(candidates, reasonToAsk(subject, limits))
  // A list of directories that came too short must delete nobody by itself.
  decide(ofRemoved, 'directory-removed')
  // Nobody can approve these: the other directory's people, who are there, would be among them.
  if (unplaced.length > 0) held.push({ reason: 'several-directories', ids: unplaced })
  return { apply, approvals: approved, held }
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
