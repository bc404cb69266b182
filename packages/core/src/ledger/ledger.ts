import type { Instant } from '../base/instant.ts'

// The life of one message, and of the lease that keeps other processes away from it:
//
//   begin            renew           renew            commit
//     │                │               │                │
//     ▼                ▼               ▼                ▼
//     ├─ lease ────────┼───────┈┈┈┈┈┈┈┈┼┈┈┈┈┈┈┈┈ …       ├─ done: kept     for the retention ──▶ unseen
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
//   Each resource has a turn and a watermark, so that its events run one at a time and the newest wins:
//
//     watermark ── 09:00 ─────────── 09:05 ──────────────────────────▶ time of the events applied
//                    begin 09:05 → begun     begin 09:03 → stale

/**
 * How far a guarantee holds: `atomic` across all processes, `process` within one process, `best-effort` if the store
 * cannot exclude a race.
 */
export type Guarantee = 'atomic' | 'process' | 'best-effort'

export interface BeginRequest {
  /**
   * The caller makes a new token for each try at a message. A second `begin` with the same token gets the same answer.
   */
  token: string
  messageId: string
  /** The resource's key. Without it, the event has no turn and no watermark. */
  resource?: string
  /**
   * The event's own time. If it is missing, or over 300 s ahead of the store's time, the store's time is used instead.
   */
  occurredAt?: Instant
  /** A deletion leaves a tombstone: an update with exactly the same time is then stale. */
  deletion?: boolean
  /**
   * The store's time before a sync read the record. The event is stale if another event was applied to the resource
   * since then.
   */
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

/** A claim on a message, made from the answer 'begun' and its request. The other verbs need it. */
export interface Claim {
  token: string
  messageId: string
  resource?: string
  fence: number
  occurredAt: Instant
  deletion: boolean
}

export interface Retention {
  /** How long the ledger keeps a done message. If 0, the ledger deletes the message at once. */
  retentionSeconds: number
  watermarkRetentionSeconds: number
}

/** A small named value with compare-and-set. */
export interface LedgerRecord {
  read(): Promise<string | undefined>
  /**
   * If the present value is `expected`, writes `value`. If `value` is `undefined`, deletes the record.
   * @returns whether it wrote
   */
  compareAndSet(
    expected: string | undefined,
    value: string | undefined,
    expirySeconds: number,
  ): Promise<boolean>
}

/**
 * Records the messages with their claims, and the resources with their turns. Each verb is one atomic step, decided by
 * the store's clock. If a verb cannot be sure of its answer, it throws `StoreUnavailableError`: a failure never counts
 * as 'unseen'.
 */
export interface Ledger {
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  /**
   * If the claim with this token exists, the answer is the same as before. Otherwise the first that applies is the
   * answer: duplicate, in-flight, busy, stale, begun. Only 'begun' writes.
   */
  begin(request: BeginRequest): Promise<BeginAnswer>
  /**
   * Extends the lease to `leaseSeconds` from now, if the claim is still ours. An absent claim also counts as ours if
   * nobody else has begun since. It is then written again. Without this rule, a store that lost its data would let a
   * second handler begin while the first one runs. A claim that was committed, or released with its resource's turn, is
   * not renewed.
   * @returns whether the claim is still ours
   */
  renew(claim: Claim, leaseSeconds: number): Promise<boolean>
  /**
   * Records the message as done. Returns 'ok' if the fence has not changed and the claim is ours. An absent claim also
   * counts as ours, because the store may have lost its data. A repeated commit returns 'ok' again. Returns 'lost' if
   * somebody else has begun since. Then nothing is written.
   */
  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'>
  /**
   * Releases the claim after a failure, so that the message can be begun again at once. Does nothing if the claim is no
   * longer ours.
   */
  release(claim: Claim): Promise<void>
  /**
   * Makes a message unseen, whether it is done or in flight, so that it can be replayed. A message in flight is unseen
   * only until the next renewal of its claim.
   * @returns whether the message was known and had not expired
   */
  forget(messageId: string): Promise<boolean>
  /**
   * Makes a resource unseen: removes its watermark and its turn. If a handler is running, the next renewal of its claim
   * takes the turn again.
   * @returns whether the resource was known
   */
  forgetResource(resource: string): Promise<boolean>
  record(name: string): LedgerRecord
  /** The store's time. */
  now(): Promise<Instant>
}
