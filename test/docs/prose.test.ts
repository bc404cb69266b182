import { expect, test } from 'vitest'
import { problemsIn } from '../../scripts/prose/check.ts'
import { wordRules, wordsAtMost } from '../../scripts/prose/words.ts'

async function rulesBrokenIn(text: string, path = 'page.md'): Promise<string[]> {
  return (await problemsIn(path, text)).map(({ ruleId }) => ruleId)
}

test.each(wordRules.flatMap(({ id, bad }) => bad.map((sentence) => ({ id, sentence }))))(
  '$id reports "$sentence"',
  async ({ id, sentence }) => {
    expect(await rulesBrokenIn(`Here is a page. ${sentence}`)).toEqual([id])
  },
)

test.each(wordRules.flatMap(({ good }) => good))('no rule reports "%s"', async (sentence) => {
  expect(await rulesBrokenIn(`Here is a page. ${sentence}`)).toEqual([])
})

test('each rule has sentences that it reports and sentences that it accepts', () => {
  expect(wordRules.filter(({ bad, good }) => bad.length === 0 || good.length === 0)).toEqual([])
})

test('a sentence over the limit is reported, and a shorter one is accepted', async () => {
  const sentenceOf = (words: number) =>
    `It stores ${'a value and '.repeat(20)}`.split(' ').slice(0, words).join(' ')
  expect(await rulesBrokenIn(`${sentenceOf(wordsAtMost)}.`)).toEqual([])
  expect(await rulesBrokenIn(`${sentenceOf(wordsAtMost + 1)}.`)).toEqual(['long-sentence'])
})

test.each([
  ['a paragraph of Markdown', 'page.md', 'A pass begins anew.'],
  ['a heading', 'page.md', '## A pass begins anew'],
  ['a table cell', 'page.md', '| a | b |\n| - | - |\n| a pass begins anew | b |'],
  ['a line comment', 'packages/core/src/a.ts', '// A pass begins anew.\nlet a = 1'],
  ['a comment after code', 'packages/core/src/a.ts', 'let a = 1 // A pass begins anew.'],
  ['a docstring', 'packages/core/src/a.ts', '/** A pass begins anew. */\nexport let a = 1'],
  [
    'a docstring with a tag',
    'packages/core/src/a.ts',
    '/**\n * A pass.\n * @returns a pass that begins anew\n */\nlet a = 1',
  ],
  ['a message', 'packages/core/src/a.ts', "throw new Error('a pass begins anew')"],
  ['a message over several lines', 'packages/core/src/a.ts', "let a = 'a pass ' +\n  'begins anew'"],
  ['a template', 'examples/one/src/a.ts', `let a = \`\${count} passes have begun anew\``],
  ['a script', 'scripts/a.mjs', "say('a pass begins anew')"],
  ['a test name', 'test/unit/a.test.ts', "test('a pass begins anew', () => {})"],
  ['a test name of a table', 'test/unit/a.test.ts', "test.each([1, 2])('pass %i begins anew', () => {})"],
  ['a test name of an example', 'examples/one/test/a.test.ts', "it('begins anew', () => {})"],
])('the check reads %s', async (_, path, text) => {
  expect(await rulesBrokenIn(text, path)).toEqual(['anew'])
})

test.each([
  ['a code span', 'page.md', 'A pass begins `anew`.'],
  ['a fence', 'page.md', '```sh\n# begins anew\n```'],
  ['an address', 'page.md', 'A [page](https://example.com/anew) explains it.'],
  ['an identifier', 'packages/core/src/a.ts', 'export function anew() {}'],
  ['a code span in a comment', 'packages/core/src/a.ts', '// Calls `anew` again.\nlet a = 1'],
  [
    'an example in a docstring',
    'packages/core/src/a.ts',
    '/**\n * A pass.\n * @example\n * begins anew\n */\nlet a = 1',
  ],
  ['a drawing', 'packages/core/src/a.ts', '// first ──▶ anew\nlet a = 1'],
  ['a literal of less than four words', 'packages/core/src/a.ts', "let a = 'begins anew'"],
  ['a code span in a template', 'packages/core/src/a.ts', 'let a = `a pass that calls \\`anew\\` again`'],
  ['SQL', 'packages/core/src/a.ts', "let a = 'SELECT a FROM b WHERE c is no d'"],
  ['a value in a test', 'test/unit/a.test.ts', "expect('a pass begins anew').toBe(1)"],
  ['a directive', 'packages/core/src/a.ts', '// biome-ignore lint/a: begins anew\nlet a = 1'],
])('the check skips %s', async (_, path, text) => {
  expect(await rulesBrokenIn(text, path)).toEqual([])
})

test('a report names the line, the column, the words and the fix', async () => {
  const text = '/**\n * A pass ends.\n *   Then it `really` begins\n * anew.\n */\nlet a = 1'
  const [problem] = await problemsIn('packages/core/src/a.ts', text)
  expect(problem).toMatchObject({ line: 4, column: 4, message: 'not "anew". Write "again"' })
})
