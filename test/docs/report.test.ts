import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { root } from './markdown.ts'

// According to CONTRIBUTING.md, `.ci/run` ends with a line of counts from the runners' own reports.

const ran = { status: 'passed', assertionResults: [{ status: 'passed' }] }
const vitest = {
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [ran],
}
const tap = (pass: number, fail: number) =>
  `ok 1 - a\n1..1\n# tests ${pass + fail}\n# pass ${pass}\n# fail ${fail}\n# cancelled 0\n# skipped 0\n# todo 0\n`

function report(files: Record<string, string | object>) {
  const folder = mkdtempSync(join(tmpdir(), 'report-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'scripts', 'report.mjs'), folder])
  return { status, line: String(stdout).trim() }
}

test('the report adds up the results of all runners', () => {
  expect(report({ 'vitest.json': vitest, 'example.tap': tap(3, 0) })).toEqual({
    status: 0,
    line: '8 passed, 0 failed',
  })
})

test('the report counts skipped tests', () => {
  expect(report({ 'vitest.json': { ...vitest, numPendingTests: 2, numTodoTests: 1 } })).toEqual({
    status: 0,
    line: '5 passed, 0 failed, 3 skipped',
  })
})

test('the report fails if any runner has a failure', () => {
  expect(report({ 'vitest.json': { ...vitest, numFailedTests: 2 } }).line).toBe('5 passed, 2 failed')
  const both = report({ 'vitest.json': vitest, 'example.tap': tap(3, 1) })
  expect(both).toEqual({ status: 1, line: '8 passed, 1 failed' })
})

test('a file that does not load and an interrupted run count as failures', () => {
  const broken = { status: 'failed', assertionResults: [] }
  expect(report({ 'vitest.json': { ...vitest, testResults: [ran, broken] } })).toEqual({
    status: 1,
    line: '5 passed, 1 failed',
  })
  expect(report({ 'vitest.json': vitest, 'example.tap': 'ok 1 - a\n' })).toEqual({
    status: 1,
    line: '5 passed, 1 failed',
  })
})

test('a missing report, half a report and a report without tests fail', () => {
  expect(report({})).toEqual({ status: 1, line: '' })
  expect(report({ 'example.tap': tap(3, 0) })).toEqual({ status: 1, line: '' })
  expect(report({ 'vitest.json': '{"numPassed' })).toMatchObject({ status: 1, line: '' })
  expect(report({ 'vitest.json': { ...vitest, numPassedTests: 0, testResults: [] } }).status).toBe(1)
})
