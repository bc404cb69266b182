import { expect, test } from 'vitest'
import { waitsBeforeAttemptsSeconds } from '../../packages/simulator/src/delivery/schedule.ts'
import { codeBlocks, documents, readDocument, sectionUnder } from './markdown.ts'

const commands = documents.flatMap((document) =>
  codeBlocks(document)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n').map((line) => `${document.path}: ${line}`)),
)

test.each([
  'README.md',
  ...['core', 'express', 'fastify', 'simulator', 'cli'].map((name) => `packages/${name}/README.md`),
])('%s states in its first lines that this is not an official Scalekit package', (path) => {
  const [beginning = ''] = readDocument(path).text.split('\n- ')
  expect(beginning.slice(0, 1000)).toMatch(/not an official Scalekit package/)
})

test('no command runs npx with a name that anybody could register', () => {
  expect(commands.filter((line) => line.includes('npx -p @scalekit-scim/cli ')).length).toBeGreaterThan(5)
  const bare = commands.filter((line) => /npx (-y )?scalekit-scim/.test(line))
  expect(bare).toEqual([])
})

test('no command makes core a development dependency', () => {
  const development = commands.filter((line) => /install (-D|--save-dev) /.test(line))
  expect(development.length).toBeGreaterThan(1)
  expect(development.filter((line) => /\bcore[-,}]/.test(line))).toEqual([])
})

test('each example of a shared store has a namespace, so that it starts without a warning', () => {
  const shared = documents.flatMap((document) =>
    codeBlocks(document).filter(
      ({ code }) => /store: new Keyv\(new/.test(code) && /requireGuarantee/.test(code),
    ),
  )
  expect(shared.length).toBeGreaterThan(5)
  expect(shared.filter(({ code }) => !/namespace: '/.test(code))).toEqual([])
})

test('the retry schedule is stated as an assumption, and equals the schedule of the simulator', () => {
  const [, source = '', schedule = ''] =
    /The design assumes the schedule of (.+?)\. The schedule has eight attempts: immediately, and then after (.+?)\./.exec(
      sectionUnder(readDocument('docs/reference/outcomes.md'), 'Retries'),
    ) ?? []
  expect(source).toContain('https://docs.scalekit.com/')
  const [, ...waits] = waitsBeforeAttemptsSeconds
  expect(schedule.split(/, | and /).map(seconds)).toEqual(waits)
})

function seconds(wait: string): number {
  const [count = '', unit = ''] = wait.split(' ')
  return Number(count) * ({ s: 1, min: 60, h: 3600 }[unit] ?? Number.NaN)
}
