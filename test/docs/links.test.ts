import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { plannedPages } from '../../docs/.vitepress/pages.ts'
import {
  anchorOf,
  type Document,
  documents,
  exists,
  headings,
  readDocument,
  withoutCode,
} from './markdown.ts'

test('every relative link of the documentation leads to a file, and to a heading in it', () => {
  expect(documents.map(({ path }) => path)).toContain('docs/errors.md')
  expect(documents.flatMap(brokenLinks)).toEqual([])
})

test('a link to a file or a heading that is not there is found', () => {
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
  if (plannedPages.includes(posix.relative('docs', path))) return true
  if (!exists(path)) return false
  if (anchor === undefined) return true
  const { text } = path === document.path ? document : readDocument(path)
  return headings(text).map(anchorOf).includes(anchor)
}
