import assert from 'node:assert/strict'
import { test } from 'node:test'
import { user } from './events.ts'
import { databaseFile, processed, startServer } from './support.ts'

const patience = { timeout: 20_000 }

test('after SIGTERM and a restart, the server has its accounts', patience, async (t) => {
  const file = await databaseFile(t)
  const first = await startServer(t, file)
  assert.deepEqual(await first.deliver(user('09:00:00')), processed)
  await first.stop()

  const second = await startServer(t, file)
  assert.match(await (await fetch(second.url)).text(), /Amelia Hart/)
  await second.stop()
})

test('without API credentials, the server reports at start that there is no sync', patience, async (t) => {
  const { saying } = await startServer(t, await databaseFile(t))
  assert.match(
    await saying((line) => line.startsWith('No sync')),
    /SCALEKIT_ENVIRONMENT_URL, SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET/,
  )
})
