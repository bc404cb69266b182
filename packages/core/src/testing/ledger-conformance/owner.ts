import assert from 'node:assert/strict'
import { at, type LedgerChecks, shortLeaseSeconds, someId } from './store.ts'

/** The checks of renewals, commits and releases. */
export const ownerChecks: LedgerChecks = {
  'a repeated commit is ok again': async (store) => {
    const claim = await store.begunOnResource()
    await store.expectCommit(claim, 'ok')
    await store.expectCommit(claim, 'ok')
  },

  'with a retention of 0, a message is deleted at its commit': async (store) => {
    const claim = await store.begun()
    await store.expectCommit(claim, 'ok', { retentionSeconds: 0 })
    await store.begun({ messageId: claim.messageId })
  },

  'a claim that the store has lost can still be committed': async (store) => {
    const claim = await store.begunOnResource({ occurredAt: at('09:00') })
    await store.ledger.forget(claim.messageId)
    await store.ledger.forgetResource(claim.resource)
    await store.expectCommit(claim, 'ok')
    await store.expectState({ messageId: claim.messageId }, 'duplicate')
  },

  'a lapsed claim that no other token took can still be committed': async (store) => {
    const late = await store.lapsed()
    await store.expectCommit(late, 'ok')
    await store.expectState({ messageId: late.messageId }, 'duplicate')
  },

  'a late owner of a message cannot renew, commit or release': async (store) => {
    const late = await store.lapsed()
    const next = await store.begun({ messageId: late.messageId, resource: late.resource })
    assert.equal(await store.ledger.renew(late, 60), false)
    await store.expectCommit(late, 'lost')
    await store.ledger.release(late)
    await store.expectState({ messageId: late.messageId }, 'in-flight')
    await store.expectCommit(next, 'ok')
    await store.expectCommit(late, 'lost')
  },

  'if another message has taken the turn, the late owner of the turn cannot commit': async (store) => {
    const late = await store.lapsed()
    const next = await store.begun({ resource: late.resource })
    await store.expectCommit(late, 'lost')
    await store.ledger.release(next)
    await store.expectCommit(late, 'lost')
  },

  'a released message can be begun again immediately': async (store) => {
    const claim = await store.begunOnResource()
    await store.ledger.release(claim)
    await store.begun({ messageId: claim.messageId, resource: claim.resource })
  },

  'a release with another token changes nothing': async (store) => {
    const claim = await store.begunOnResource()
    await store.ledger.release({ ...claim, token: someId('token') })
    await store.expectState({ messageId: claim.messageId }, 'in-flight')
    await store.expectState({ resource: claim.resource }, 'busy')
  },

  'a renewed lease protects the message and the turn': async (store) => {
    const claim = await store.begunOnResource({ leaseSeconds: shortLeaseSeconds })
    assert.equal(await store.ledger.renew(claim, 60), true)
    await store.pastShortLease()
    await store.expectState({ messageId: claim.messageId }, 'in-flight')
    await store.expectState({ resource: claim.resource }, 'busy')
  },

  'a committed claim cannot be renewed': async (store) => {
    assert.equal(await store.ledger.renew(await store.applied(), 60), false)
  },

  'a released claim cannot be renewed, and its message stays free': async (store) => {
    const claim = await store.begunOnResource()
    await store.ledger.release(claim)
    assert.equal(await store.ledger.renew(claim, 60), false)
    await store.begun({ messageId: claim.messageId, resource: claim.resource })
  },

  'if the store has lost a claim, a renewal writes its message and its turn again': async (store) => {
    const claim = await store.begunOnResource({ occurredAt: at('09:00') })
    const alone = await store.begun()
    for (const { messageId } of [claim, alone]) await store.ledger.forget(messageId)
    await store.ledger.forgetResource(claim.resource)
    for (const lost of [claim, alone]) {
      assert.equal(await store.ledger.renew(lost, 60), true)
      await store.expectState({ messageId: lost.messageId }, 'in-flight')
    }
    await store.expectState({ resource: claim.resource }, 'busy')
    for (const lost of [claim, alone]) await store.expectCommit(lost, 'ok')
    await store.expectState({ resource: claim.resource, occurredAt: at('08:00') }, 'stale')
  },

  'if the store has lost only the message or only the turn, a renewal writes it again': async (store) => {
    const message = await store.begunOnResource()
    await store.ledger.forget(message.messageId)
    const turn = await store.begunOnResource()
    await store.ledger.forgetResource(turn.resource)
    for (const claim of [message, turn]) {
      assert.equal(await store.ledger.renew(claim, 60), true)
      await store.expectState({ messageId: claim.messageId }, 'in-flight')
      await store.expectState({ resource: claim.resource }, 'busy')
      await store.expectCommit(claim, 'ok')
    }
  },

  'a late renewal does not affect a later owner, running or done': async (store) => {
    const late = await store.begunOnResource()
    await store.ledger.forget(late.messageId)
    await store.ledger.forgetResource(late.resource)
    const next = await store.begun({ resource: late.resource })
    assert.equal(await store.ledger.renew(late, 60), false)
    await store.expectCommit(next, 'ok')
    assert.equal(await store.ledger.renew(late, 60), false)
    await store.begun({ messageId: late.messageId, resource: late.resource })
  },
}
