import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { redisIsInstalled, startRedis } from '../support/redis-server.ts'
import { codeBlocks, readDocument, root } from './markdown.ts'

const redis = redisIsInstalled ? await startRedis() : undefined
/** The folder is below test/, so that the example finds express and keyv. */
const folder = mkdtempSync(join(root, 'test', 'docs', '.cache-'))
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await redis?.remove()
})

/** The example with the ledger from its README's section on several hosts. */
async function startExample(): Promise<{ child: ChildProcess; url: string }> {
  const [block] = codeBlocks(readDocument('examples/express-sqlite/README.md')).filter(({ code }) =>
    code.includes('openLedgerStore'),
  )
  cpSync(join(root, 'examples', 'express-sqlite', 'src'), folder, { recursive: true })
  writeFileSync(join(folder, 'ledger-store.ts'), block?.code ?? '')
  const imports = new URL('source-imports.mjs', import.meta.url).href
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', imports, join(folder, 'server.ts')],
    {
      env: {
        ...env,
        SCALEKIT_WEBHOOK_SECRET: TEST_SECRET,
        DATABASE_FILE: join(folder, 'accounts.db'),
        HOST: '127.0.0.1',
        PORT: '0',
        REDIS_URL: redis?.url,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const url = /http:\S+(?=,)/.exec(String(line))?.[0] ?? ''
  return { child, url: `${url}/webhooks/scalekit` }
}

describe.skipIf(!redis)('examples/express-sqlite with the Redis ledger of its README', () => {
  const delivery = () =>
    signDelivery(sampleEvent('organization.directory.user_created'), { messageId: 'msg_one' })
  const outcomeAt = async (url: string) => (await fetch(url, delivery())).headers.get('scalekit-scim-outcome')

  test('messages stay done over a restart, and SIGTERM ends the server', { timeout: 60_000 }, async () => {
    const first = await startExample()
    expect(await outcomeAt(first.url)).toBe('processed')
    first.child.kill('SIGTERM')
    expect(await once(first.child, 'exit')).toEqual([0, null])

    const second = await startExample()
    expect(await outcomeAt(second.url)).toBe('duplicate')
    second.child.kill('SIGTERM')
    expect(await once(second.child, 'exit')).toEqual([0, null])
  })

  test.each([
    ['is down', () => redis?.kill(), () => redis?.start()],
    ['does not answer', () => redis?.freeze(), () => redis?.thaw()],
  ])('the example exits on SIGTERM while Redis %s', { timeout: 60_000 }, async (_what, fail, repair) => {
    const { child, url } = await startExample()
    await fail()
    onTestFinished(repair)
    expect(await outcomeAt(url)).toBe('store-unavailable')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})
