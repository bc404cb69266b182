import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pageGroups } from '../../docs/.vitepress/pages.ts'
import { documents } from './markdown.ts'
import { buildSite } from './site.ts'

let site = ''
beforeAll(async () => {
  site = await buildSite()
}, 300_000)
afterAll(() => rmSync(site, { recursive: true, force: true }))

const pages = pageGroups.flatMap((group) => group.pages)

test('the sidebar lists every page of docs/', () => {
  const written = documents.map(({ path }) => path).filter((path) => path.startsWith('docs/'))
  expect(pages.map(({ file }) => `docs/${file}`).sort()).toEqual(written.sort())
})

test('each page is built, with a Markdown copy, and llms.txt lists it', () => {
  const list = readFileSync(join(site, 'llms.txt'), 'utf8')
  const full = readFileSync(join(site, 'llms-full.txt'), 'utf8')
  for (const { file, title } of pages) {
    expect(existsSync(join(site, file.replace(/\.md$/, '.html')))).toBe(true)
    expect(existsSync(join(site, file))).toBe(true)
    expect(list).toContain(`- [${title}](${file})`)
    expect(full).toContain(title)
  }
})
