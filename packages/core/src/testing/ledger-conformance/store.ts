import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instant, instantFromMs } from '../../base/instant.ts'
import { omitUndefined } from '../../base/objects.ts'
import type { BeginAnswer, BeginRequest, Claim, Ledger, Retention } from '../../ledger/ledger.ts'

export interface OpenInstance {
  /** The time by which this instance's clock is ahead of the other instances' clocks, in milliseconds. */
  skewMs: number
}

export type OpenLedger = (instance: OpenInstance) => Ledger | Promise<Ledger>

/** The checks of one part of the contract, by name. */
export type LedgerChecks = Readonly<Record<string, (store: CheckedStore) => Promise<void>>>

/** The lease of the checks. A shorter lease could lapse before a busy machine has checked the claim. */
export const shortLeaseSeconds = 0.4

type SomeRequest = { [Field in keyof BeginRequest]?: BeginRequest[Field] | undefined }
type ClaimOnResource = Claim & { resource: string }

/** A ledger with methods for the steps that several checks share. */
export class CheckedStore {
  readonly ledger: Ledger

  constructor(ledger: Ledger) {
    this.ledger = ledger
  }

  /** Calls `begin` with the given fields. By default, the request has a new token and a new message. */
  async begin(fields: SomeRequest): Promise<BeginAnswer> {
    return this.ledger.begin(someRequest(fields))
  }

  /** Begins a message, asserts that the answer is 'begun', and returns the claim. */
  async begun(fields: SomeRequest = {}): Promise<Claim> {
    const request = someRequest(fields)
    const answer = await this.ledger.begin(request)
    assert.equal(answer.state, 'begun')
    const { fence, occurredAt } = answer as BeginAnswer & { state: 'begun' }
    const { token, messageId, resource, deletion = false } = request
    return { token, messageId, fence, occurredAt, deletion, ...omitUndefined({ resource }) }
  }

  /** Begins a message of a new resource, and returns the claim. */
  async begunOnResource(fields: SomeRequest = {}): Promise<ClaimOnResource> {
    const resource = someId('user')
    return { ...(await this.begun({ resource, ...fields })), resource }
  }

  /** Returns a claim whose lease has lapsed, with a new resource. */
  async lapsed(): Promise<ClaimOnResource> {
    const claim = await this.begunOnResource({ leaseSeconds: shortLeaseSeconds })
    await this.pastShortLease()
    return claim
  }

  /** Begins and commits a message, and returns its claim. */
  async applied(fields: SomeRequest = {}): Promise<Claim> {
    const claim = await this.begun(fields)
    await this.expectCommit(claim, 'ok')
    return claim
  }

  async expectCommit(claim: Claim, expected: 'ok' | 'lost', retention?: Partial<Retention>): Promise<void> {
    const kept = { retentionSeconds: 60, watermarkRetentionSeconds: 60, ...retention }
    assert.equal(await this.ledger.commit(claim, kept), expected)
  }

  /** Asserts the answer of `begin` to a new request. */
  async expectState(fields: SomeRequest, state: Exclude<BeginAnswer['state'], 'begun'>): Promise<void> {
    assert.deepEqual(await this.begin(fields), { state })
  }

  pastShortLease(): Promise<void> {
    return sleep(600)
  }
}

/** Begins a request on each of the stores at the same time. Returns the number of answers with each state. */
export async function beginAll(
  stores: readonly CheckedStore[],
  fields: SomeRequest,
): Promise<Record<string, number>> {
  const answers = await Promise.all(stores.map((store) => store.begin(fields)))
  const counts: Record<string, number> = {}
  for (const { state } of answers) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

export function someId(kind: string): string {
  return `${kind}-${randomUUID()}`
}

function someRequest(fields: SomeRequest): BeginRequest {
  return { token: someId('token'), messageId: someId('msg'), leaseSeconds: 60, ...omitUndefined(fields) }
}

/** Returns a time on a past day, because a store replaces a time in the future with its own time. */
export function at(time: string, nanoseconds = 0): Instant {
  const instant = instantFromMs(Date.parse(`2026-01-05T${time}:00Z`))
  return instant.slice(0, -9) + String(nanoseconds).padStart(9, '0')
}
