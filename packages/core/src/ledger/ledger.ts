import type { Instant } from '../base/instant.ts'

// The life of one message, and of the lease that keeps other processes away from it:
//
//   begin            renew           renew            commit
//     │                │               │                │
//     ▼                ▼               ▼                ▼
//     ├─ lease ────────┼───────┈┈┈┈┈┈┈┈┼┈┈┈┈┈┈┈┈ …       ├─ done: remembered for the retention ──▶ unseen
//     │                ├─ lease ───────┼───────┈┈┈      │
//     │                │               ├─ lease ────────┤
//     │  others: begin → in-flight, or busy for the same resource   │  others: begin → duplicate
//
//   A process that dies stops renewing. Its lease lapses, and the next begin wins with a higher fence. If the first
//   process comes back, its commit finds a different fence and answers 'lost'.
//
//     A: begin (fence 7) ── stalls ────────────────────────────── commit (fence 7) → lost
//     B:                      lapse ▶ begin (fence 8) ── commit → ok
//
//   Turn and watermark belong to the resource, so that its events run one at a time and the newest wins:
//
//     watermark ── 09:00 ─────────── 09:05 ──────────────────────────▶ time of the events applied
//                    begin 09:05 → begun     begin 09:03 → stale

/**
 * How far a guarantee holds: `atomic` over all processes, `process` within one process, `best-effort` if the store
 * cannot exclude a race.
 */
export type Guarantee = 'atomic' | 'process' | 'best-effort'

export interface BeginRequest {
  /** Made by the caller for one try at a message. A second begin with the same token gets the same answer. */
  token: string
  messageId: string
  /** The resource's key. Without it, the event has no turn and no watermark. */
  resource?: string
  /** The event's own time. A missing time, or one over 300 s ahead of the store's, counts as the store's time. */
  occurredAt?: Instant
  /** A deletion leaves a tombstone: an update with exactly the same time is then stale. */
  deletion?: boolean
  /** The store's time before a sync read the record. The event is stale if anything was applied since then. */
  observedAt?: Instant
  leaseSeconds: number
}

export type BeginAnswer =
  | { state: 'begun'; fence: number /** The watermark that a commit would write. */; occurredAt: Instant }
  /** Already done. */
  | { state: 'duplicate' }
  /** Another token holds the message. */
  | { state: 'in-flight' }
  /** Another token holds the resource's turn. */
  | { state: 'busy' }
  /** Older than the resource's watermark. */
  | { state: 'stale' }

/** The result of a `begin` that was begun. The other verbs need it. */
export interface Claim {
  token: string
  messageId: string
  resource?: string
  fence: number
  occurredAt: Instant
  deletion: boolean
}

export interface Retention {
  /** How long a done message is remembered; 0 forgets it at once. */
  retentionSeconds: number
  watermarkRetentionSeconds: number
}

/** A small named value with compare-and-set. */
export interface LedgerRecord {
  read(): Promise<string | undefined>
  /**
   * Writes `value` (`undefined` deletes) if the present value is `expected`.
   * @returns whether it wrote
   */
  compareAndSet(
    expected: string | undefined,
    value: string | undefined,
    expirySeconds: number,
  ): Promise<boolean>
}

/**
 * The record of messages and resources behind claims and turns. Each verb is one atomic step, decided by the store's
 * clock. A verb that cannot be sure of its answer throws `StoreUnavailableError`: a failure never counts as 'unseen'.
 */
export interface Ledger {
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  /** Decided in this order: our own token, duplicate, in-flight, busy, stale, begun. Only 'begun' writes. */
  begin(request: BeginRequest): Promise<BeginAnswer>
  /**
   * Extends the lease to `leaseSeconds` from now, if the claim is still ours. An absent claim is also ours if nobody
   * else has begun since. It is written again, because after a store lost its data, a second handler must not begin
   * while the first runs. A claim that was committed, or released with its resource's turn, is not renewed.
   * @returns whether the claim is still ours
   */
  renew(claim: Claim, leaseSeconds: number): Promise<boolean>
  /**
   * Records the message as done. 'ok' if the fence has not moved and the claim is ours or absent (the store lost its
   * data). A repeated commit is 'ok' again. 'lost' if somebody else has begun since: nothing was written.
   */
  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'>
  /** After a failure: the message can be begun again at once. Does nothing if the claim is no longer ours. */
  release(claim: Claim): Promise<void>
  /**
   * Makes a message unseen, whether done or in flight, so that it can be replayed. A message in flight is unseen only
   * until its next renewal.
   * @returns whether the message was known and had not expired
   */
  forget(messageId: string): Promise<boolean>
  /**
   * Makes a resource unseen: its watermark and its turn. The turn is gone only until its next renewal.
   * @returns whether the resource was known
   */
  forgetResource(resource: string): Promise<boolean>
  record(name: string): LedgerRecord
  /** The store's time. */
  now(): Promise<Instant>
}
