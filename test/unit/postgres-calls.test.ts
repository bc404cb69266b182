import { createFakeClock } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import type { PostgresCall } from '../../packages/core/src/ledger/postgres/pool.ts'
import { mayHaveRun, PostgresSession } from '../../packages/core/src/ledger/postgres/session.ts'
import { recordingLogger } from '../support/log.ts'

const failed = (message: string, code?: string) =>
  new Error('PostgreSQL failed', {
    cause: Object.assign(new Error(message), code === undefined ? {} : { code }),
  })

test.each([
  ['a connection that was ended', failed('Connection terminated unexpectedly'), true],
  ['a call that was never answered', failed('Query read timeout'), true],
  ['a connection that was reset', failed('read ECONNRESET', 'ECONNRESET'), true],
  ['a server that shuts down', failed('terminating connection', '57P01'), true],
  ['a connection that the server gave up', failed('connection failure', '08006'), true],
  ['a pool without a connection in time', failed('timeout exceeded when trying to connect'), false],
  ['a server that is not there', failed('connect ECONNREFUSED', 'ECONNREFUSED'), false],
  ['a refusal', failed('permission denied', '42501'), false],
])('after %s, a begin may have run: %s', (_name, error, may) => {
  expect(mayHaveRun(error)).toBe(may)
})

test.each(['26000', '42P05'])(
  'a statement whose name a pooler lost (%s) is sent again without a name, like the next statements',
  async (code) => {
    const names: (string | undefined)[] = []
    const query = async ({ name }: PostgresCall) => {
      names.push(name)
      if (name !== undefined) throw Object.assign(new Error('stray'), { code })
      return [{ answer: 'well' }]
    }
    const log = recordingLogger()
    const session = new PostgresSession(query, 'public', { clock: createFakeClock(), log })
    expect(await session.ask('now', 'SELECT 1')).toBe('well')
    expect(await session.ask('now', 'SELECT 1')).toBe('well')
    expect(names).toEqual([expect.stringMatching(/^scalekit_scim_now_/), undefined, undefined])
    expect(log.lines).toEqual([])
  },
)

test('concurrent calls whose names are lost are all sent again', async () => {
  let named = 0
  const query = async ({ name }: PostgresCall) => {
    await new Promise((resolve) => setImmediate(resolve))
    if (name === undefined) return [{ answer: 'well' }]
    named++
    throw Object.assign(new Error('stray'), { code: '26000' })
  }
  const session = new PostgresSession(query, 'public', { clock: createFakeClock(), log: recordingLogger() })
  const answers = await Promise.all(Array.from({ length: 5 }, () => session.ask('now', 'SELECT 1')))
  expect(answers).toEqual(Array(5).fill('well'))
  expect(named).toBe(5)
})
