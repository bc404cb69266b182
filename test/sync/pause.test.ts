import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const sources = new URL('../docs/source-imports.mjs', import.meta.url).href
const script = fileURLToPath(new URL('import-script.ts', import.meta.url))

test('a script continues after a pause, although nothing else keeps its process running', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', sources, script])
  expect(stdout).toBe('1 user at the second try\n')
})
