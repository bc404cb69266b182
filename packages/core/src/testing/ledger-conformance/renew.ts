import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  applied,
  at,
  begun,
  begunOnResource,
  beyondLeaseMs,
  keep,
  type LedgerChecks,
  shortLeaseSeconds,
  stateOf,
} from './requests.ts'

export const renewChecks: LedgerChecks = {
  'a renewed lease holds the message and the turn': async (ledger) => {
    const claim = await begunOnResource(ledger, { leaseSeconds: shortLeaseSeconds })
    assert.equal(await ledger.renew(claim, 60), true)
    await sleep(beyondLeaseMs)
    assert.equal(await stateOf(ledger, { messageId: claim.messageId }), 'in-flight')
    assert.equal(await stateOf(ledger, { resource: claim.resource }), 'busy')
  },

  'a committed claim cannot be renewed': async (ledger) => {
    assert.equal(await ledger.renew(await applied(ledger), 60), false)
  },

  'a released claim cannot be renewed, and its message stays free': async (ledger) => {
    const claim = await begunOnResource(ledger)
    await ledger.release(claim)
    assert.equal(await ledger.renew(claim, 60), false)
    await begun(ledger, { messageId: claim.messageId, resource: claim.resource })
  },

  'if the store has lost a claim, a renewal writes its message and its turn again': async (ledger) => {
    const claim = await begunOnResource(ledger, { occurredAt: at('09:00') })
    const alone = await begun(ledger)
    for (const { messageId } of [claim, alone]) await ledger.forget(messageId)
    await ledger.forgetResource(claim.resource)
    for (const lost of [claim, alone]) {
      assert.equal(await ledger.renew(lost, 60), true)
      assert.equal(await stateOf(ledger, { messageId: lost.messageId }), 'in-flight')
    }
    assert.equal(await stateOf(ledger, { resource: claim.resource }), 'busy')
    for (const lost of [claim, alone]) assert.equal(await ledger.commit(lost, keep), 'ok')
    assert.equal(await stateOf(ledger, { resource: claim.resource, occurredAt: at('08:00') }), 'stale')
  },

  'if the store has lost only the message or only the turn, a renewal writes it again': async (ledger) => {
    const message = await begunOnResource(ledger)
    await ledger.forget(message.messageId)
    const turn = await begunOnResource(ledger)
    await ledger.forgetResource(turn.resource)
    for (const claim of [message, turn]) {
      assert.equal(await ledger.renew(claim, 60), true)
      assert.equal(await stateOf(ledger, { messageId: claim.messageId }), 'in-flight')
      assert.equal(await stateOf(ledger, { resource: claim.resource }), 'busy')
      assert.equal(await ledger.commit(claim, keep), 'ok')
    }
  },

  'a renewal takes nothing from a later owner, whether it still runs or is done': async (ledger) => {
    const late = await begunOnResource(ledger)
    await ledger.forget(late.messageId)
    await ledger.forgetResource(late.resource)
    const next = await begun(ledger, { resource: late.resource })
    assert.equal(await ledger.renew(late, 60), false)
    assert.equal(await ledger.commit(next, keep), 'ok')
    assert.equal(await ledger.renew(late, 60), false)
    await begun(ledger, { messageId: late.messageId, resource: late.resource })
  },
}
