import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { sharedRedis } from '../support/redis-server.ts'

const redis = await sharedRedis()
afterAll(() => redis?.remove())

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// See reset-connection.ts.
test.skipIf(!redis)('begin on a reset connection does not get the answer to another begin', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--import',
    fileOf('../docs/source-imports.mjs'),
    fileOf('reset-connection.ts'),
    redis?.url ?? '',
  ])
  const { unclaimed }: { unclaimed: string[] } = JSON.parse(stdout)
  expect(unclaimed).toEqual([])
})
