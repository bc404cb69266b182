import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { user } from './events.ts'
import { databaseFile } from './support.ts'

const program = fileURLToPath(new URL('../src/server.ts', import.meta.url))

async function startServer(
  t: TestContext,
  file: string,
): Promise<{ child: ChildProcess; url: string; line: () => Promise<string> }> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    env: { ...env, SCALEKIT_WEBHOOK_SECRET: TEST_SECRET, DATABASE_FILE: file, HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => String((await lines.next()).value)
  const first = await line()
  const url = /http:\S+(?=,)/.exec(first)?.[0]
  assert.ok(url, `no address in: ${first}`)
  return { child, url, line }
}

test('the program serves, stops on SIGTERM, and finds its accounts again', { timeout: 20_000 }, async (t) => {
  const file = await databaseFile(t)
  const first = await startServer(t, file)
  const reply = await fetch(`${first.url}/webhooks/scalekit`, signDelivery(user('09:00:00')))
  assert.equal(reply.status, 201)
  first.child.kill('SIGTERM')
  assert.deepEqual(await once(first.child, 'exit'), [0, null])

  const second = await startServer(t, file)
  assert.match(await (await fetch(second.url)).text(), /Amelia Hart/)
  second.child.kill('SIGTERM')
  assert.deepEqual(await once(second.child, 'exit'), [0, null])
})

test('without API credentials it says at its start that there is no sync', { timeout: 20_000 }, async (t) => {
  const { line } = await startServer(t, await databaseFile(t))
  assert.match(await line(), /^No sync.*SCALEKIT_ENVIRONMENT_URL, SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET/)
})
