import { expect, test } from 'vitest'
import { codeBlocks, documents } from './markdown.ts'
import { typeErrors } from './type-check.ts'

const blocks = documents.flatMap(codeBlocks)
const checked = blocks.filter(({ language }) => ['ts', 'js'].includes(language))

test('every TypeScript and JavaScript block of the documentation compiles', () => {
  expect(checked.length).toBeGreaterThan(10)
  expect(typeErrors(checked)).toEqual([])
})

test('a misspelt handler, a misspelt field and a wrong unit in a block are found', () => {
  const code = [
    "import { scalekitScim } from '@scalekit-scim/express'",
    'scalekitScim({ onUserUpsert: () => {} })',
    'scalekitScim({ onUserUpserted: (event) => event.data.givenName })',
    "scalekitScim({ deadlineSeconds: '9 s' })",
  ]
  const found = typeErrors([{ document: 'some.md', line: 10, language: 'ts', code: code.join('\n') }])
  expect(found).toEqual([
    expect.stringMatching(/^some\.md:11 [\s\S]*onUserUpsert/),
    expect.stringMatching(/^some\.md:12 [\s\S]*givenName/),
    expect.stringMatching(/^some\.md:13 [\s\S]*string/),
  ])
})

test('every block names one of five languages, or none if it is a drawing', () => {
  const languages = new Set(blocks.map(({ language }) => language))
  expect(
    [...languages].filter((language) => !['', 'ts', 'js', 'sh', 'sql', 'json'].includes(language)),
  ).toEqual([])
})
