import type { Instant } from '../base/instant.ts'

// The life of one message, and of the lease that keeps others away from it:
//
//   begin            renew           renew            commit
//     │                │               │                │
//     ▼                ▼               ▼                ▼
//     ├─ lease ────────┼───────┈┈┈┈┈┈┈┈┼┈┈┈┈┈┈┈ …       ├─ done: remembered for the retention ──▶ unseen
//     │                ├─ lease ───────┼───────┈┈┈      │
//     │                │               ├─ lease ────────┤
//     │  others: begin → in-flight, or busy for the same resource   │  others: begin → duplicate
//
//   A process that dies stops renewing. Its lease lapses, the next begin wins with a higher fence, and should the
//   dead come back, its commit finds the fence moved and is told that it has lost.
//
//     A: begin (fence 7) ── stalls ────────────────────────────── commit (fence 7) → lost
//     B:                      lapse ▶ begin (fence 8) ── commit → ok
//
//   Turn and watermark belong to the resource, so that its events run one at a time and the newest wins:
//
//     watermark ── 09:00 ─────────── 09:05 ──────────────────────────▶ time of the events applied
//                    begin 09:05 → begun     begin 09:03 → stale

/** How far a promise reaches: over all processes, within one, or as far as an unable store lets it. */
export type Guarantee = 'atomic' | 'process' | 'best-effort'

export interface BeginRequest {
  /** Made by the caller for one try at a message. Begin with the same token again, and the answer is the same. */
  token: string
  messageId: string
  /** The resource's key. Without one there are no turn and no watermark. */
  resource?: string
  /** The event's own time. A time over 300 s ahead of the store's counts as the store's; so does none at all. */
  occurredAt?: Instant
  /** A deletion leaves a tombstone: an update of the very same time is stale then. */
  deletion?: boolean
  /** The store's time before a sync read what it says. Stale, then, is what was applied to since. */
  observedAt?: Instant
  leaseSeconds: number
}

export type BeginAnswer =
  | { state: 'begun'; fence: number /** The watermark that a commit would write. */; occurredAt: Instant }
  /** Done already. */
  | { state: 'duplicate' }
  /** Another token holds the message. */
  | { state: 'in-flight' }
  /** Another token holds the resource's turn. */
  | { state: 'busy' }
  /** Older than what the resource has. */
  | { state: 'stale' }

/** What `begin` gave out, and what the other verbs need to know of it. */
export interface Claim {
  token: string
  messageId: string
  resource?: string
  fence: number
  occurredAt: Instant
  deletion: boolean
}

export interface Retention {
  /** How long a done message stays known; 0 forgets it at once. */
  retentionSeconds: number
  watermarkRetentionSeconds: number
}

/** A small named value with compare-and-set. */
export interface LedgerRecord {
  read(): Promise<string | undefined>
  /** Writes `value` (`undefined` deletes) where the present value is `expected`; says whether it did. */
  compareAndSet(
    expected: string | undefined,
    value: string | undefined,
    expirySeconds: number,
  ): Promise<boolean>
}

/**
 * The record of messages and resources behind claims and turns. Each verb is one atomic step, judged by the
 * store's clock. A verb that cannot be sure throws (`StoreUnavailableError`): a failure is never 'unseen'.
 */
export interface Ledger {
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  /** Judged in this order: our own token, duplicate, in-flight, busy, stale, begun. Only 'begun' writes. */
  begin(request: BeginRequest): Promise<BeginAnswer>
  /**
   * Whether the claim is still ours, and now for `leaseSeconds` more. As with commit, one that is absent while nobody
   * else has begun since is ours still, and taken anew: a store that lost its data would else let a second handler begin
   * beside the one that runs. What was released with its resource's turn, or committed, is not.
   */
  renew(claim: Claim, leaseSeconds: number): Promise<boolean>
  /**
   * Done. 'ok' where the claim is ours or absent (a store that lost its data) and the fence has not moved; again
   * 'ok' when repeated. 'lost' where somebody else has begun since: nothing was written.
   */
  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'>
  /** Failed: the message may be begun again at once. Nothing happens where the claim is no longer ours. */
  release(claim: Claim): Promise<void>
  /**
   * Makes a message unseen, done or in flight; says whether it was known, and had not expired. For a replay on purpose.
   * One in flight is only unseen until its next renewal.
   */
  forget(messageId: string): Promise<boolean>
  /** Makes a resource unseen, watermark, turn and all, the latter until its next renewal; says whether it was known. */
  forgetResource(resource: string): Promise<boolean>
  record(name: string): LedgerRecord
  /** The store's time. */
  now(): Promise<Instant>
}
