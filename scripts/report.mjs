// Reads the reports that the test runners wrote during `npm test` and prints one line: `N passed, N failed`.
// Exits with 1 if a test failed, none ran, or a report is missing.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = process.argv[2] ?? fileURLToPath(new URL('../.cache/report', import.meta.url))
const files = existsSync(folder) ? readdirSync(folder).sort() : []
const reports = files.filter((name) => name === 'vitest.json' || name.endsWith('.tap'))

if (!reports.includes('vitest.json') || !isJson(join(folder, 'vitest.json'))) {
  console.error('No report: the tests of test/ did not finish.')
  process.exit(1)
}
const counts = reports.map((name) => {
  const text = readFileSync(join(folder, name), 'utf8')
  return name.endsWith('.json') ? countsOfVitest(JSON.parse(text)) : countsOfTap(text, name)
})
const sum = (key) => counts.reduce((total, count) => total + count[key], 0)
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')]
const assertions = sum('assertions')

console.error(`${assertions} assertions in test/`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = passed > 0 && failed === 0 ? 0 : 1

function isJson(path) {
  try {
    return Boolean(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return false
  }
}

function countsOfVitest(report) {
  // A file that does not load counts as failed, although the counts do not include its tests.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
    assertions: report.testResults
      .flatMap((file) => file.assertionResults)
      .reduce((total, test) => total + (test.meta?.assertions ?? 0), 0),
  }
}

/** Reads the closing lines of Node's own runner, such as `# pass 3`. Without these lines, the run did not finish. */
function countsOfTap(text, name) {
  const count = (word) => {
    const found = [...text.matchAll(new RegExp(`^# ${word} (\\d+)$`, 'gm'))].at(-1)
    return found ? Number(found[1]) : undefined
  }
  if (count('pass') === undefined) {
    console.error(`${name}: the run did not finish.`)
    return { passed: 0, failed: 1, skipped: 0, assertions: 0 }
  }
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
    // Node's runner does not count assertions.
    assertions: 0,
  }
}
