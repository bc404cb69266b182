import assert from 'node:assert/strict'
import { at, begun, begunOnResource, keep, type LedgerChecks, lapsed, someId, stateOf } from './requests.ts'

export const commitChecks: LedgerChecks = {
  'a repeated commit is ok again': async (ledger) => {
    const claim = await begunOnResource(ledger)
    assert.equal(await ledger.commit(claim, keep), 'ok')
    assert.equal(await ledger.commit(claim, keep), 'ok')
  },

  'with a retention of 0, a message is forgotten at its commit': async (ledger) => {
    const claim = await begun(ledger)
    assert.equal(await ledger.commit(claim, { ...keep, retentionSeconds: 0 }), 'ok')
    await begun(ledger, { messageId: claim.messageId })
  },

  'a claim that the store has lost can still be committed': async (ledger) => {
    const claim = await begunOnResource(ledger, { occurredAt: at('09:00') })
    await ledger.forget(claim.messageId)
    await ledger.forgetResource(claim.resource)
    assert.equal(await ledger.commit(claim, keep), 'ok')
    assert.equal(await stateOf(ledger, { messageId: claim.messageId }), 'duplicate')
  },

  'a lapsed claim that nobody took can still be committed': async (ledger) => {
    const late = await lapsed(ledger)
    assert.equal(await ledger.commit(late, keep), 'ok')
    assert.equal(await stateOf(ledger, { messageId: late.messageId }), 'duplicate')
  },

  'a late owner of a message has lost: it cannot renew, commit or release': async (ledger) => {
    const late = await lapsed(ledger)
    const next = await begun(ledger, { messageId: late.messageId, resource: late.resource })
    assert.equal(await ledger.renew(late, 60), false)
    assert.equal(await ledger.commit(late, keep), 'lost')
    await ledger.release(late)
    assert.equal(await stateOf(ledger, { messageId: late.messageId }), 'in-flight')
    assert.equal(await ledger.commit(next, keep), 'ok')
    assert.equal(await ledger.commit(late, keep), 'lost')
  },

  'a late owner of a turn has lost if another message has taken the turn since': async (ledger) => {
    const late = await lapsed(ledger)
    const next = await begun(ledger, { resource: late.resource })
    assert.equal(await ledger.commit(late, keep), 'lost')
    await ledger.release(next)
    assert.equal(await ledger.commit(late, keep), 'lost')
  },

  'a released message can be begun again at once': async (ledger) => {
    const claim = await begunOnResource(ledger)
    await ledger.release(claim)
    await begun(ledger, { messageId: claim.messageId, resource: claim.resource })
  },

  'a release with another token changes nothing': async (ledger) => {
    const claim = await begunOnResource(ledger)
    await ledger.release({ ...claim, token: someId('token') })
    assert.equal(await stateOf(ledger, { messageId: claim.messageId }), 'in-flight')
    assert.equal(await stateOf(ledger, { resource: claim.resource }), 'busy')
  },
}
