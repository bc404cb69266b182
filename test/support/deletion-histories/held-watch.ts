import type { KnownRecord, SyncReport } from '@scalekit-scim/core/sync'
import type { Kind } from './environment.ts'
import type { PassNotes } from './pass-notes.ts'

const dayMs = 86_400_000

interface Batch {
  organizationId: string
  kind: Kind
  ids: Set<string>
  /** The ids that a later walk has listed. They have left the batch, but its approval still covers them. */
  returned: Set<string>
  heldMs: number
  /** The last time at which `known` yielded one of the ids, in a complete pass. */
  yieldedMs: number
  /** The last time at which a run got the approval. */
  givenMs: number | undefined
  /** Whether a report listed the record as held, and the store has not lost it since. */
  isHeld: boolean
}

/** The held records with their approvals, and the records that may have left their batch. */
export class HeldWatch {
  readonly #batches = new Map<string, Batch>()
  /** The approval of each record in the last report, by id. */
  readonly #held = new Map<string, string>()

  /** Returns the approval of a held record that has not been released. */
  heldBy(id: string): string | undefined {
    return this.#held.get(id)
  }

  /** Returns whether the record is or was held. */
  wasHeld(id: string): boolean {
    return [...this.#batches.values()].some(({ ids }) => ids.has(id))
  }

  /** Returns whether an earlier report contained this approval. */
  knows(approval: string): boolean {
    return this.#batches.has(approval)
  }

  /** Returns whether the run's approvals, or earlier valid approvals, cover this id. */
  isApproved(id: string, approve: ReadonlySet<string>, nowMs: number): boolean {
    return [...this.#batches].some(
      ([approval, { ids, returned, givenMs }]) =>
        ids.has(id) &&
        (approve.has(approval) ||
          (!returned.has(id) && givenMs !== undefined && nowMs - givenMs <= 7 * dayMs + 600_000)),
    )
  }

  /** Records that a walk of a full pass has listed these ids. The ids may have left their batches. */
  listed(ids: Iterable<string>): void {
    for (const id of ids) this.#held.delete(id)
  }

  /**
   * A record with a newer event may have left its batch. If `known` yields no record of a batch for long, all its
   * records may have left.
   */
  yielded(records: readonly KnownRecord[], nowMs: number): void {
    const yielded = new Set(records.map(({ id }) => id))
    for (const { ids, yieldedMs } of this.#batches.values()) {
      const unseenMs = nowMs - yieldedMs
      const isSeen = [...ids].some((id) => yielded.has(id))
      // The store keeps a state for 120 days after it was written.
      if (unseenMs > 119 * dayMs || (unseenMs > 89 * dayMs && !isSeen)) this.listed(ids)
    }
    for (const { id, occurredAt } of records) {
      const batch = this.#batches.get(this.#held.get(id) ?? '')
      if (!batch) continue
      const isNewer = occurredAt != null && Date.parse(occurredAt) > batch.heldMs + 59_000
      if (isNewer) this.#held.delete(id)
    }
  }

  /** Records that a pass has written its state. */
  confirm({ yielded, listed }: PassNotes, nowMs: number): void {
    for (const batch of this.#batches.values()) {
      if ([...batch.ids].some((id) => yielded.has(id))) batch.yieldedMs = nowMs
      for (const id of listed) if (batch.ids.has(id)) batch.returned.add(id)
    }
  }

  /** Stores the held deletions of a report. A dry run holds no records, and listed records are not held. */
  learn(report: SyncReport, { listed, dryRun }: PassNotes, nowMs: number): void {
    const holds = !dryRun
    for (const { organizationId, directories } of report.organizations) {
      for (const { approval, kind, ids } of directories.flatMap(({ held }) => held)) {
        if (approval === undefined) continue
        const batch = this.#batches.get(approval) ?? newBatch(organizationId, kind)
        this.#batches.set(approval, batch)
        if (!batch.isHeld) Object.assign(batch, { heldMs: nowMs, yieldedMs: nowMs, isHeld: holds })
        for (const id of ids) {
          batch.ids.add(id)
          if (!holds || listed.has(id)) continue
          batch.returned.delete(id)
          this.#held.set(id, approval)
        }
      }
    }
  }

  given(approvals: Iterable<string>, nowMs: number): void {
    for (const approval of approvals) {
      const batch = this.#batches.get(approval)
      if (batch) batch.givenMs = nowMs
    }
  }

  /**
   * Records that the store has lost the held records, or also their approvals. A run that gets these approvals still
   * accepts them.
   */
  forget(organizationId: string, kind: Kind, approvalsToo: boolean): void {
    for (const [approval, batch] of this.#batches) {
      if (batch.organizationId !== organizationId || batch.kind !== kind) continue
      batch.isHeld = false
      if (approvalsToo) batch.givenMs = undefined
      for (const id of batch.ids) if (this.#held.get(id) === approval) this.#held.delete(id)
    }
  }
}

function newBatch(organizationId: string, kind: Kind): Batch {
  const times = { heldMs: 0, yieldedMs: 0, givenMs: undefined }
  return { organizationId, kind, ids: new Set(), returned: new Set(), isHeld: false, ...times }
}
