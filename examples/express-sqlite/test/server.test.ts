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

async function startServer(t: TestContext, file: string): Promise<{ child: ChildProcess; url: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    env: { ...env, SCALEKIT_WEBHOOK_SECRET: TEST_SECRET, DATABASE_FILE: file, HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const url = /http:\S+(?=,)/.exec(String(line))?.[0]
  assert.ok(url, `no address in: ${line}`)
  return { child, url }
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
