import { posix } from 'node:path'
import { expect, test } from 'vitest'
import {
  anchorOf,
  type Document,
  documents,
  exists,
  headings,
  readDocument,
  withoutCode,
} from './markdown.ts'

test('every relative link of the documentation leads to a file and a heading that exist', () => {
  expect(documents.map(({ path }) => path)).toContain('docs/errors.md')
  expect(documents.flatMap(brokenLinks)).toEqual([])
})

test('the check finds a link to a missing file or heading', () => {
  const text =
    '[a](docs/none.md) [b](#none) [c](docs/errors.md#none) [d](docs/errors.md) [e](https://example.com)\n# x\n[f](#x)'
  expect(brokenLinks({ path: 'README.md', text })).toEqual([
    'README.md → docs/none.md',
    'README.md → #none',
    'README.md → docs/errors.md#none',
  ])
})

test('every package has the licence of the repository', () => {
  const { text } = readDocument('LICENSE')
  for (const name of ['core', 'express', 'fastify', 'simulator', 'cli']) {
    expect(readDocument(`packages/${name}/LICENSE`).text).toBe(text)
  }
})

function brokenLinks(document: Document): string[] {
  const prose = withoutCode(document.text).replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(document, target))
    .map((target) => `${document.path} → ${target}`)
}

function leadsSomewhere(document: Document, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? document.path : posix.join(posix.dirname(document.path), file)
  if (!exists(path)) return false
  if (anchor === undefined) return true
  const { text } = path === document.path ? document : readDocument(path)
  return headings(text).map(anchorOf).includes(anchor)
}
