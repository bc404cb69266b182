import { describe, expect, test } from 'vitest'
import { refusalOf } from './check-history.ts'
import { at, begin, commit, history, release, renew, type Written } from './hand-written.ts'
import { textOf } from './refusal-text.ts'

const older = { occurredAt: '4' }
const deletion = { deletion: true }

const legal: Record<string, Written[]> = {
  'a committed message is a duplicate': [
    begin('m1', 't1', 1),
    commit('m1', 't1', 1, 'ok'),
    begin('m1', 't2', 'duplicate'),
  ],
  'a begun message is in flight, and its resource is busy': [
    begin('m1', 't1', 1),
    begin('m1', 't2', 'in-flight'),
    begin('m2', 't3', 'busy'),
  ],
  'two begin calls overlap, and one of them is refused': [
    at(0, 20, begin('m1', 't1', 'in-flight')),
    at(10, 30, begin('m1', 't2', 1)),
  ],
  'a refusal returns before the begin that caused it': [
    at(0, 100, begin('m1', 't1', 1)),
    at(10, 20, begin('m2', 't2', 'busy')),
  ],
  'a repeated begin gets the same fence': [begin('m1', 't1', 1), begin('m1', 't1', 1)],
  'a released message is begun again': [begin('m1', 't1', 1), release('t1'), begin('m1', 't2', 2)],
  'a released claim is committed': [begin('m1', 't1', 1), release('t1'), commit('m1', 't1', 1, 'ok')],
  'a lapsed turn is taken over, and its old owner has lost it': [
    begin('m1', 't1', 1),
    at(1200, 1210, begin('m2', 't2', 2)),
    commit('m1', 't1', 1, 'lost'),
    renew('m1', 't1', 1, false),
    commit('m2', 't2', 2, 'ok'),
  ],
  'a lapsed claim is renewed if nobody has begun since': [
    begin('m1', 't1', 1),
    at(1200, 1210, renew('m1', 't1', 1, true)),
    at(2100, 2110, begin('m1', 't2', 'in-flight')),
  ],
  'a lease that may have lapsed: still busy': [
    begin('m1', 't1', 1),
    at(1005, 1015, begin('m2', 't2', 'busy')),
  ],
  'a lease that may have lapsed: begun': [begin('m1', 't1', 1), at(1005, 1015, begin('m2', 't2', 2))],
  'a repeated commit is ok, also after another event': [
    begin('m1', 't1', 1),
    commit('m1', 't1', 1, 'ok'),
    begin('m2', 't2', 2),
    commit('m1', 't1', 1, 'ok'),
  ],
  'an older event is stale': [
    begin('m1', 't1', 1),
    commit('m1', 't1', 1, 'ok'),
    begin('m2', 't2', 'stale', older),
  ],
  'an update with the time of a deletion is stale, but another deletion is not': [
    begin('m1', 't1', 1, deletion),
    commit('m1', 't1', 1, 'ok', deletion),
    begin('m2', 't2', 'stale'),
    begin('m3', 't3', 2, deletion),
  ],
  'a begin without an answer took effect': [begin('m1', 't1'), at(20, 30, begin('m1', 't2', 'in-flight'))],
  'a begin without an answer had no effect': [begin('m1', 't1'), at(20, 30, begin('m1', 't2', 1))],
  'a commit without an answer took effect later': [
    begin('m1', 't1', 1),
    commit('m1', 't1', 1),
    begin('m1', 't2', 'in-flight'),
    begin('m1', 't3', 'duplicate'),
  ],
  'a commit without an answer took effect before a begin that lapse alone would allow': [
    begin('m1', 't1', 1),
    at(990, 1000, commit('m1', 't1', 1)),
    at(1002, 1020, begin('m2', 't2', 2)),
    begin('m1', 't3', 'duplicate'),
  ],
  'a begin without an answer took the fence of a lapsed claim': [
    begin('m1', 't1', 1),
    at(1200, 1210, begin('m2', 't2')),
    commit('m1', 't1', 1, 'lost'),
  ],
}

const illegal: Record<string, Written[]> = {
  'two callers have begun one message at the same time': [begin('m1', 't1', 1), begin('m1', 't2', 2)],
  'two callers have begun one message in overlapping calls': [
    at(0, 20, begin('m1', 't1', 1)),
    at(10, 30, begin('m1', 't2', 2)),
  ],
  'two callers have begun events of one resource at the same time': [
    begin('m1', 't1', 1),
    begin('m2', 't2', 2),
  ],
  'a done message is begun again': [begin('m1', 't1', 1), commit('m1', 't1', 1, 'ok'), begin('m1', 't2', 2)],
  'a commit with an older fence is ok': [
    begin('m1', 't1', 1),
    at(1200, 1210, begin('m2', 't2', 2)),
    commit('m1', 't1', 1, 'ok'),
  ],
  'a commit of the newest claim is lost': [begin('m1', 't1', 1), commit('m1', 't1', 1, 'lost')],
  'the fence goes back': [begin('m1', 't1', 2), release('t1'), begin('m1', 't2', 1)],
  'the fence stays the same': [begin('m1', 't1', 1), release('t1'), begin('m1', 't2', 1)],
  'a repeated begin gets another fence': [begin('m1', 't1', 1), begin('m1', 't1', 2)],
  'a message is a duplicate before any commit': [begin('m1', 't1', 1), begin('m1', 't2', 'duplicate')],
  'a message is a duplicate after a lost commit': [
    begin('m1', 't1', 1),
    at(1200, 1210, begin('m2', 't2', 2)),
    commit('m1', 't1', 1, 'lost'),
    commit('m2', 't2', 2, 'ok'),
    begin('m1', 't3', 'duplicate'),
  ],
  'an event is stale before any commit': [begin('m1', 't1', 'stale', older)],
  'an event is stale although the committed event is not newer': [
    begin('m1', 't1', 1),
    commit('m1', 't1', 1, 'ok'),
    begin('m2', 't2', 'stale'),
  ],
  'an older event is begun': [begin('m1', 't1', 1), commit('m1', 't1', 1, 'ok'), begin('m2', 't2', 2, older)],
  'a claim is renewed after another one has begun': [
    begin('m1', 't1', 1),
    at(1200, 1210, begin('m2', 't2', 2)),
    renew('m1', 't1', 1, true),
  ],
  'a claim is renewed after its release': [begin('m1', 't1', 1), release('t1'), renew('m1', 't1', 1, true)],
  'a claim is renewed after its commit': [
    begin('m1', 't1', 1),
    commit('m1', 't1', 1, 'ok'),
    renew('m1', 't1', 1, true),
  ],
  'a turn is taken over before it lapses': [begin('m1', 't1', 1), at(900, 910, begin('m2', 't2', 2))],
  'a renewed turn is taken over before it lapses': [
    begin('m1', 't1', 1),
    at(900, 910, renew('m1', 't1', 1, true)),
    at(1500, 1510, begin('m2', 't2', 2)),
  ],
  'a resource is busy after its turn has lapsed': [
    begin('m1', 't1', 1),
    at(1200, 1210, begin('m2', 't2', 'busy')),
  ],
  'a resource is busy after a release by its owner': [
    begin('m1', 't1', 1),
    release('t1'),
    begin('m2', 't2', 'busy'),
  ],
  'a release by another token ends the turn': [begin('m1', 't1', 1), release('t2'), begin('m2', 't3', 2)],
  'a resource is busy although nobody has called begin': [begin('m1', 't1', 'busy')],
  'a begin without an answer holds its turn after it must have lapsed': [
    begin('m1', 't1'),
    at(20, 30, begin('m2', 't2', 'busy')),
    at(1200, 1210, begin('m2', 't3', 'busy')),
  ],
  'a begin without an answer takes effect twice': [
    begin('m1', 't1'),
    at(20, 30, begin('m1', 't2', 'in-flight')),
    at(1200, 1210, begin('m2', 't3', 1)),
    release('t3'),
    begin('m1', 't4', 'in-flight'),
  ],
  'the watermark of a done event is not its own': [
    begin('m1', 't1', 1),
    commit('m1', 't1', 1, 'ok'),
    begin('m2', 't2', 2, { occurredAt: '6' }),
    commit('m2', 't2', 2, 'ok', { occurredAt: '6' }),
    begin('m3', 't3', 3),
  ],
}

describe('the check of a history', () => {
  test.each(Object.entries(legal))('accepts it if %s', (_, operations) => {
    expect(refusalOf(history(...operations))).toBeUndefined()
  })

  test.each(Object.entries(illegal))('refuses it if %s', (_, operations) => {
    expect(refusalOf(history(...operations))).toBeDefined()
  })

  test('prints the state before the refused call, and the earlier calls with its token', () => {
    const refusal = refusalOf(
      history(
        begin('m1', 't1', 1),
        commit('m1', 't1', 1, 'ok'),
        begin('m2', 't2', 2),
        at(1300, 1310, begin('m3', 't3', 3)),
        at(1320, 1340, commit('m2', 't2', 2, 'ok')),
        at(1330, 1350, renew('m3', 't3', 3)),
      ),
    )
    expect(refusal && textOf(refusal)).toBe(
      [
        '     0.0 –    10.0 ms  P2    begin m2 t2 at 5, lease 1 s → begun, fence 2',
        '── fence 3; m3 t3 has the turn until 2260.0 … 2270.0 ms; event applied at 5; done: m1 t1 ──',
        '  1280.0 –  1300.0 ms  P4    commit m2 t2 fence 2 at 5 → ok   ◀ not allowed',
        '  1290.0 –       … ms  P5    renew m3 t3 fence 3 at 5, lease 1 s → no answer',
      ].join('\n'),
    )
  })
})
