import { expect, test } from 'vitest'
import { codeIn, exists, readDocument, withoutCode } from './markdown.ts'

const named = codeIn(withoutCode(readDocument('docs/architecture.md').text)).filter((code) =>
  /^[\w./-]+(\/|\.ts|\.json)$/.test(code),
)

test('every file and folder that the architecture page names exists', () => {
  expect(named.length).toBeGreaterThan(10)
  const missing = named.filter((path) => !exists(path) && !exists(`packages/core/src/${path}`))
  expect(missing).toEqual([])
})
