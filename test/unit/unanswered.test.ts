import { systemClock } from '@scalekit-scim/core/internal'
import { expect, test } from 'vitest'
import { ReconnectingAdapter } from '../../packages/core/src/ledger/compare-and-set/reconnecting-adapter.ts'
import { Statements } from '../../packages/core/src/ledger/compare-and-set/statements.ts'
import { recordingLogger } from '../support/log.ts'

test('at most 1000 unanswered statements are kept, and the next one fails at once', async () => {
  const waiting: (() => void)[] = []
  const adapter = {
    opts: { dialect: 'mysql' },
    query: () => new Promise<void>((resolve) => void waiting.push(resolve)),
  }
  const log = recordingLogger()
  const dialect = {
    schema: [],
    causeOf: () => 'other' as const,
    codeOf: (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : ''),
    hint: (code: string) => code,
  }
  const statements = new Statements(new ReconnectingAdapter(adapter), dialect, {
    namespace: 'unanswered',
    clock: systemClock,
    storeTimeoutSeconds: 2,
    watermarkRetentionSeconds: 60,
    log,
  })
  const kept = Array.from({ length: 1000 }, () => statements.run('SELECT 1'))
  for (let times = 0; times < 3; times++) {
    await expect(statements.run('SELECT 1')).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: 'the database refused (TOO_MANY)',
    })
  }
  expect(log.lines.map(({ message }) => message)).toEqual(['TOO_MANY'])
  for (const answer of waiting.splice(0)) answer()
  await Promise.all(kept)
  const next = statements.run('SELECT 1')
  for (const answer of waiting) answer()
  await expect(next).resolves.toBeUndefined()
})
