import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { pageGroups } from '../../docs/.vitepress/pages.ts'
import { chromiumPath, launchChromium } from '../support/chromium.ts'
import { documents } from './markdown.ts'
import { buildSite, serveSite } from './site.ts'

let site = ''
let origin = ''
let server: Server | undefined
let browser: Browser | undefined

beforeAll(async () => {
  site = await buildSite()
  ;({ origin, server } = await serveSite(site))
  if (chromiumPath) browser = await launchChromium()
}, 300_000)

afterAll(async () => {
  await browser?.close()
  server?.close()
  rmSync(site, { recursive: true, force: true })
})

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

test('the relative links of the Markdown copies lead to files', () => {
  const copies = pages.map(({ file }) => file)
  const broken = copies.flatMap((copy) => {
    const prose = readFileSync(join(site, copy), 'utf8').replace(/^```[\s\S]*?^```$|`[^`\n]*`/gm, '')
    return [...prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(site, copy, '..', target)))
      .map((target) => `${copy} → ${target}`)
  })
  expect(broken).toEqual([])
})

/** Opens a page of the site in a browser, and collects its errors and its requests to other hosts. */
async function open(path: string, look: { colorScheme: 'light' | 'dark'; width: number }) {
  const viewport = { width: look.width, height: 844 }
  const context = await browser?.newContext({ colorScheme: look.colorScheme, viewport })
  if (!context) throw new Error('There is no browser.')
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('request', (request) => {
    const { host } = new URL(request.url())
    if (!request.url().startsWith(origin)) faults.push(`a request to ${host}`)
  })
  await page.goto(`${origin}/${path}`)
  return { page, faults }
}

const looks = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 390 },
  { colorScheme: 'dark', width: 390 },
] as const
const wide = looks[0]

/** These pages have long tables, drawings, code of every language, and copies of other files. */
const varied = ['index.md', 'faq.md', 'stores/index.md', 'concepts/index.md', 'reference/options.md']

describe.skipIf(!chromiumPath)('in a browser', () => {
  test.each(looks)(
    'pages are shown without errors and without scrolling sideways: $colorScheme, $width px',
    async (look) => {
      const { page, faults } = await open('', look)
      for (const { file, title } of pages.filter((page) => varied.includes(page.file))) {
        await page.goto(`${origin}/${file.replace(/\.md$/, '.html')}`)
        expect(await page.title()).toContain(title)
        expect([file, await overflow(page)]).toEqual([file, 0])
        expect([file, await isDark(page)]).toEqual([file, look.colorScheme === 'dark'])
      }
      await page.waitForLoadState('networkidle')
      expect(faults).toEqual([])
    },
  )

  test('no page scrolls sideways on a phone', async () => {
    const context = await browser?.newContext({
      viewport: { width: 390, height: 844 },
      javaScriptEnabled: false,
    })
    onTestFinished(() => context?.close())
    const page = await context?.newPage()
    if (!page) throw new Error('There is no browser.')
    const wide: string[] = []
    for (const { file } of pages) {
      await page.goto(`${origin}/${file.replace(/\.md$/, '.html')}`)
      if ((await overflow(page)) > 0) wide.push(file)
    }
    expect(wide).toEqual([])
  })

  test('the copy of a file of the repository is a page', async () => {
    const { page, faults } = await open('stores/sqlite.html', wide)
    await page.getByRole('link', { name: "The example's ledger-store.ts" }).click()
    await page.getByRole('heading', { name: 'examples/express-sqlite/src/ledger-store.ts' }).waitFor()
    expect(faults).toEqual([])
  })

  test('the button of the sidebar opens it on a phone', async () => {
    const { page } = await open('quickstart.html', { colorScheme: 'light', width: 390 })
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('link', { name: 'Frequently asked questions' }).click()
    await page.getByRole('heading', { level: 1, name: 'Frequently asked questions' }).waitFor()
  })
})

/** The words of a new user's search, and the page with the answer. */
const questions: [question: string, file: string][] = [
  ['how do I install', 'quickstart.md'],
  ['do I need redis', 'which-pieces.md'],
  ['handler takes 30 seconds', 'guides/slow-handlers.md'],
  ['bug fixed two days later', 'guides/recover-events.md'],
  ['groups to roles', 'guides/roles-from-groups.md'],
  ['deactivated or deleted', 'guides/access-ended.md'],
  ['import 5000 users', 'guides/backfill.md'],
  ['two instances', 'guides/several-instances.md'],
  ['test locally', 'guides/local.md'],
  ['metrics and alerts', 'guides/metrics-and-alerts.md'],
  ['why was access removed', 'guides/audit.md'],
  ['existing users', 'guides/existing-users.md'],
  ['getting started', 'quickstart.md'],
  ['is redis required', 'faq.md'],
  ['long running job', 'guides/slow-handlers.md'],
  ['kubernetes replicas', 'guides/several-instances.md'],
  ['servers behind a load balancer', 'guides/several-instances.md'],
  ['try on my laptop without an account', 'guides/local.md'],
  ['prometheus', 'guides/metrics-and-alerts.md'],
  ['who disabled this account', 'guides/audit.md'],
]

describe.skipIf(!chromiumPath)("the site's search", () => {
  let page: Page
  beforeAll(async () => {
    page = (await browser?.newPage()) as Page
    await page.goto(origin)
    await page.getByRole('button', { name: 'Search' }).click()
  })
  afterAll(() => page.close())

  test.each(questions)('answers "%s" with %s among the first three results', async (question, file) => {
    const results = page.locator('.results .result')
    await page.locator('.search-input').fill('')
    await results.first().waitFor({ state: 'detached' })
    await page.locator('.search-input').fill(question)
    await results.first().waitFor()
    const found = await results.evaluateAll(titlesOf)
    expect(found.slice(0, 3)).toContain(pages.find((page) => page.file === file)?.title)
  })
})

/**
 * Returns the titles of the pages in the results. A result consists of the title of its page and then of its section.
 */
function titlesOf(results: { querySelector(selector: string): { textContent: string } | null }[]): string[] {
  return results.map((result) => result.querySelector('.titles .text')?.textContent.trim() ?? '')
}

/** Returns the width in pixels by which the page can be scrolled sideways. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

function isDark(page: Page): Promise<boolean> {
  return page.evaluate("document.documentElement.classList.contains('dark')")
}
