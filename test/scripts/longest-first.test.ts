import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { slowFiles } from '../support/longest-first.ts'

test('each slow file exists, and is listed once', () => {
  expect(slowFiles.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([])
  expect(new Set(slowFiles).size).toBe(slowFiles.length)
})
