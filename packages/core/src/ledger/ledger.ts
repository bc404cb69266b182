import type { Instant } from '../base/instant.ts'

// The timeline of one message. During its lease, no other process can begin the message:
//
//   begin            renew           renew            commit
//     │                │               │                │
//     ▼                ▼               ▼                ▼
//     ├─ lease ────────┼───────┈┈┈┈┈┈┈┈┼┈┈┈┈┈┈┈┈ …       ├─ done: kept     for the retention ──▶ unseen
//     │                ├─ lease ───────┼───────┈┈┈      │
//     │                │               ├─ lease ────────┤
//     │  others: begin → in-flight, or busy for the same resource   │  others: begin → duplicate
//
//   If a process crashes, its lease lapses. The next begin then gets a higher fence. If the first
//   process continues, its commit has an old fence and returns 'lost'.
//
//     A: begin (fence 7) ── stalls ────────────────────────────── commit (fence 7) → lost
//     B:                      lapse ▶ begin (fence 8) ── commit → ok
//
//   Each resource has a turn and a watermark. The events of a resource run one at a time. Older events are stale:
//
//     watermark ── 09:00 ─────────── 09:05 ──────────────────────────▶ time of the events applied
//                    begin 09:05 → begun     begin 09:03 → stale

/**
 * The scope of a guarantee: `atomic` across all processes, `process` within one process, `best-effort` for a store that
 * cannot exclude a race.
 */
export type Guarantee = 'atomic' | 'process' | 'best-effort'

export interface BeginRequest {
  /**
   * The caller makes a new token for each attempt to claim a message. A second `begin` with the same token gets the
   * same answer.
   */
  token: string
  messageId: string
  /** The resource's key. An event without a resource does not have a turn or a watermark. */
  resource?: string
  /**
   * The event's own time. If this time is missing, or more than 300 s ahead of the store's time, the store's time is
   * used instead.
   */
  occurredAt?: Instant
  /**
   * Whether the event is a deletion. A deletion leaves a tombstone, which makes an update with exactly the same time
   * stale.
   */
  deletion?: boolean
  /**
   * The store's time before a sync read the record. If another event was applied to the resource after this time, the
   * sync's event is stale.
   */
  observedAt?: Instant
  leaseSeconds: number
}

export type BeginAnswer =
  | { state: 'begun'; fence: number /** The watermark that a commit would write. */; occurredAt: Instant }
  /** The message is already done. */
  | { state: 'duplicate' }
  /** Another token has claimed the message. */
  | { state: 'in-flight' }
  /** Another token has the resource's turn. */
  | { state: 'busy' }
  /** The event is older than the resource's watermark. */
  | { state: 'stale' }

/** A claim on a message, made from the answer 'begun' and its request. The other ledger methods need the claim. */
export interface Claim {
  token: string
  messageId: string
  resource?: string
  fence: number
  occurredAt: Instant
  deletion: boolean
}

export interface Retention {
  /**
   * The time for which the ledger stores a done message. If the value is 0, the ledger deletes the message immediately.
   */
  retentionSeconds: number
  watermarkRetentionSeconds: number
}

/** A small named value with compare-and-set. */
export interface LedgerRecord {
  read(): Promise<string | undefined>
  /**
   * If the present value is `expected`, writes `value`. If `value` is `undefined`, deletes the record.
   * @returns whether the present value was `expected`
   */
  compareAndSet(
    expected: string | undefined,
    value: string | undefined,
    expirySeconds: number,
  ): Promise<boolean>
}

/**
 * Stores the messages with their claims, and the resources with their turns. Each method is one atomic step, with times
 * of the store's clock. If a method cannot determine the state, it throws `StoreUnavailableError`. After a failure, a
 * method never reports a message as unseen.
 */
export interface Ledger {
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  /**
   * Claims a message. If a claim with this token exists, returns the same answer as before. If no claim has this token,
   * returns the first state that applies: duplicate, in-flight, busy, stale, begun. Only 'begun' writes a claim.
   */
  begin(request: BeginRequest): Promise<BeginAnswer>
  /**
   * If the token still has the claim, extends the lease to `leaseSeconds` from now. If the claim is missing, and no
   * other token has begun since, writes the claim again. If the store loses its data, this rule prevents a second
   * handler from beginning while the first handler runs. Does not renew a claim that was committed, or that was
   * released with its resource's turn.
   * @returns whether the token has the claim
   */
  renew(claim: Claim, leaseSeconds: number): Promise<boolean>
  /**
   * Records the message as done, and returns 'ok'. If another token has begun since, writes nothing and returns 'lost'.
   * A missing claim is not an error, because the store may have lost its data. A repeated commit returns 'ok' again.
   */
  commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'>
  /**
   * Releases the claim after a failure, so that the message can be begun again immediately. If the token no longer has
   * the claim, does nothing.
   */
  release(claim: Claim): Promise<void>
  /**
   * Removes a message, done or in flight, so that it can be replayed. If the message is in flight, the next renewal of
   * its claim writes the claim again.
   * @returns whether the ledger contained the message, and the message had not expired
   */
  forget(messageId: string): Promise<boolean>
  /**
   * Removes a resource with its watermark and its turn. If a handler is running, the next renewal of its claim takes
   * the turn again.
   * @returns whether the ledger contained the resource
   */
  forgetResource(resource: string): Promise<boolean>
  record(name: string): LedgerRecord
  /** The store's time. */
  now(): Promise<Instant>
}
