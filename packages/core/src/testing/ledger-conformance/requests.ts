import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instant, instantFromMs } from '../../base/instant.ts'
import { omitUndefined } from '../../base/omit-undefined.ts'
import type { BeginAnswer, BeginRequest, Claim, Ledger, Retention } from '../../ledger/ledger.ts'

export interface OpenInstance {
  /** How far this instance's own clock is ahead of the other instances' clocks, in milliseconds. */
  skewMs: number
}

export type OpenLedger = (instance: OpenInstance) => Ledger | Promise<Ledger>

/** The checks of one verb, by name. */
export type LedgerChecks = Readonly<Record<string, (ledger: Ledger) => Promise<void>>>

/** The shortest lease that does not lapse before a busy machine has checked it. */
export const shortLeaseSeconds = 0.4
export const beyondLeaseMs = 600
export const keep: Retention = { retentionSeconds: 60, watermarkRetentionSeconds: 60 }

export type SomeRequest = { [Field in keyof BeginRequest]?: BeginRequest[Field] | undefined }

export function someId(kind: string): string {
  return `${kind}-${randomUUID()}`
}

export function someRequest(fields: SomeRequest = {}): BeginRequest {
  return { token: someId('token'), messageId: someId('msg'), leaseSeconds: 60, ...omitUndefined(fields) }
}

/** Begins a message, asserts that it was begun, and returns the claim. */
export async function begun(ledger: Ledger, fields: SomeRequest = {}): Promise<Claim> {
  const request = someRequest(fields)
  const answer = await ledger.begin(request)
  assert.equal(answer.state, 'begun')
  const { fence, occurredAt } = answer as BeginAnswer & { state: 'begun' }
  const { token, messageId, resource, deletion = false } = request
  return { token, messageId, fence, occurredAt, deletion, ...(resource === undefined ? {} : { resource }) }
}

/** Begins a message of a new resource, and returns the claim. */
export async function begunOnResource(
  ledger: Ledger,
  fields: SomeRequest = {},
): Promise<Claim & { resource: string }> {
  const resource = someId('user')
  return { ...(await begun(ledger, { resource, ...fields })), resource }
}

/** Returns a claim whose lease has lapsed, with a new resource. */
export async function lapsed(ledger: Ledger): Promise<Claim & { resource: string }> {
  const claim = await begunOnResource(ledger, { leaseSeconds: shortLeaseSeconds })
  await sleep(beyondLeaseMs)
  return claim
}

/** Begins and commits a message, and returns its claim. */
export async function applied(ledger: Ledger, fields: SomeRequest = {}): Promise<Claim> {
  const claim = await begun(ledger, fields)
  assert.equal(await ledger.commit(claim, keep), 'ok')
  return claim
}

/** Returns the state that a new `begin` answers. The request has a new token, unless `fields` contains one. */
export async function stateOf(ledger: Ledger, fields: SomeRequest): Promise<BeginAnswer['state']> {
  return (await ledger.begin(someRequest(fields))).state
}

/** Returns a time on a day in the past, so that no store treats it as a time in the future. */
export function at(time: string, nanoseconds = 0): Instant {
  const instant = instantFromMs(Date.parse(`2026-01-05T${time}:00Z`))
  return instant.slice(0, -9) + String(nanoseconds).padStart(9, '0')
}

/** Counts how often each state was the answer. */
export function tally(answers: BeginAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { state } of answers) counts[state] = (counts[state] ?? 0) + 1
  return counts
}
