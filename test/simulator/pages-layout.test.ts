import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { createSimulator, type Simulator } from '@scalekit-scim/simulator'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Accounts } from '../../examples/express-sqlite/src/accounts.ts'
import { createApp } from '../../examples/express-sqlite/src/app.ts'
import { openDatabase } from '../../examples/express-sqlite/src/database.ts'
import { Groups } from '../../examples/express-sqlite/src/groups.ts'
import { chromiumPath, launchChromium } from '../support/chromium.ts'

// Measures the layout of the console, and of the example's page of accounts.

const emails = ['mei.weber@example.com', 'wilhelmina.featherstonehaugh-cholmondeley@subsidiary.example.com']
const narrow = { width: 390, height: 844 }
const wide = { width: 1280, height: 900 }

describe.skipIf(!chromiumPath)('pages, in Chromium', () => {
  let browser: Browser
  let application: { url: string; close(): Promise<void> }
  let simulator: Simulator
  let page: Page

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    application = await startExample()
    simulator = await createSimulator({
      endpoints: [{ url: `${application.url}/webhooks/scalekit`, secret: TEST_SECRET }],
    })
    const { environment, deliveries } = simulator
    const directory = environment.createDirectory(environment.createOrganization({ displayName: 'Acme' }).id)
    const groups = ['Engineering', 'Administrators'].map((displayName) =>
      environment.createGroup(directory.id, { displayName }),
    )
    for (const [index, email] of emails.entries()) {
      const [givenName, familyName] =
        index === 0 ? ['Mei', 'Weber'] : ['Wilhelmina', 'Featherstonehaugh-Cholmondeley']
      const attributes = { userName: email, email, givenName, familyName }
      environment.createUser(directory.id, { attributes, groupIds: groups.map(({ id }) => id) })
    }
    await deliveries.idle()
    page = await browser.newPage({ viewport: wide })
    page.setDefaultTimeout(20_000)
    await page.addInitScript(readLines)
  })
  afterEach(async () => {
    await page.close()
    await simulator.close()
    await application.close()
  })

  describe('the console', () => {
    const messages = () => page.getByRole('list', { name: /^Messages/ }).locator('> li')
    const openEndpoints = () => page.locator('summary').filter({ hasText: /^To / }).click()
    beforeEach(async () => {
      await page.goto(simulator.url)
      await messages().nth(4).waitFor()
    })

    it('the slider of a fault has its 0 % at the left end', async () => {
      await openEndpoints()
      const range = page.getByRole('slider', { name: /^Drop the message/ })
      const { x, y, width, height } = await boxOf(range)
      // The handle is 16 px wide, so its middle moves over the width minus 16 px.
      const clickAt = (share: number) => page.mouse.click(x + 8 + share * (width - 16), y + height / 2)
      for (const share of [0.1, 0, 1]) {
        await clickAt(share)
        await expect.poll(() => simulator.deliveries.faults.drop?.share ?? 0).toBe(share)
        await expect.poll(() => range.inputValue()).toBe(String(share * 100))
      }
    })

    it('the console shows the URL of each endpoint once', async () => {
      const shown = (url: string) => page.locator('code:visible').filter({ hasText: url }).count()
      await openEndpoints()
      expect(await shown(`${application.url}/webhooks/scalekit`)).toBe(1)
      simulator.deliveries.addEndpoint({ url: 'http://127.0.0.1:9/other', types: ['none'] })
      await page.getByText('To 2 endpoints').waitFor()
      expect(await shown(`${application.url}/webhooks/scalekit`)).toBe(1)
      expect(await shown('http://127.0.0.1:9/other')).toBe(1)
    })

    it('the title of a message is on one line, next to the buttons or above them', async () => {
      for (const message of await messages().all()) {
        expect(await linesOf(message.locator('.what')), String(await message.textContent())).toBe(1)
      }
      // If the line is too short for the title and the buttons, the buttons are below the title.
      await page.setViewportSize(narrow)
      const short = messages().filter({ hasText: 'Mei Weber' })
      expect(await linesOf(short.locator('.what'))).toBe(1)
      const title = await boxOf(short.locator('.what'))
      const replay = await boxOf(short.getByRole('button', { name: /^Replay/ }))
      expect(replay.y).toBeGreaterThanOrEqual(title.y + title.height)
    })

    it('the console copies the variables of the application to the clipboard', async () => {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.getByRole('button', { name: 'Copy the variables' }).click()
      await page.getByRole('status').getByText('Copied.').waitFor()
      const lines = Object.entries(simulator.variables).map(([name, value]) => `${name}=${value}\n`)
      expect(lines).toHaveLength(4)
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(lines.join(''))
    })

    it('the console explains how to copy if the browser denies the clipboard', async () => {
      await page.addInitScript('Object.defineProperty(navigator, "clipboard", { value: undefined })')
      await page.reload()
      await page.getByRole('button', { name: 'Copy the variables' }).click()
      await page.getByRole('status').getByText('select the lines').waitFor()
    })

    it("the console links to the application's page", async () => {
      const opened = page.waitForEvent('popup')
      await page.getByRole('link', { name: application.url, exact: true }).click()
      const accounts = await opened
      await accounts.getByRole('heading', { name: 'Accounts' }).waitFor()
      await accounts.close()
    })

    it('the console does not break an email inside a word', async () => {
      for (const size of [wide, narrow]) {
        await page.setViewportSize(size)
        for (const email of emails) {
          expectWholeWords(await textLines(page.getByRole('row').getByText(email, { exact: true })), email)
        }
      }
    })
  })

  describe("the example's page of accounts", () => {
    beforeEach(async () => {
      await page.goto(application.url)
    })

    it.each([360, 390, 768, 864, 865, 1280])(
      'the page shows each column with its heading, %i px wide',
      async (width) => {
        await page.setViewportSize({ width, height: 844 })
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
        expect(await page.getByRole('region').evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0)
        for (const text of ['Active', 'editor', 'Engineering', 'UTC']) {
          const { x, width: itsWidth } = await boxOf(page.locator('td:visible').getByText(text).first())
          expect(x).toBeGreaterThanOrEqual(0)
          expect(x + itsWidth).toBeLessThanOrEqual(width)
        }
        // The heading is above the column, or its word is before the value.
        const names = await page.evaluate<string[]>(
          `[...document.querySelectorAll('td')].slice(0, 4)
          .map((cell) => getComputedStyle(cell, '::before').content.replaceAll('"', ''))`,
        )
        const columns = ['State', 'Roles', 'Groups', 'Changed']
        const isHeaded = await page.locator('thead').isVisible()
        expect(names).toEqual(isHeaded ? columns.map(() => 'none') : columns)
      },
    )

    it.each([390, 1280])('emails and ids do not break inside a word, %i px wide', async (width) => {
      await page.setViewportSize({ width, height: 844 })
      for (const email of emails)
        expectWholeWords(await textLines(page.getByText(email, { exact: true })), email)
      for (const id of await page.locator('.ids code').all()) expect(await linesOf(id)).toBe(1)
    })
  })
})

/** The example, with all data in memory. */
async function startExample() {
  const database = openDatabase(':memory:')
  const groups = new Groups(database)
  const accounts = new Accounts(database, groups)
  const { app, scim } = createApp({ accounts, groups, secret: TEST_SECRET, store: 'memory', logger: false })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await scim.receiver.close()
      database.close()
    },
  }
}

async function boxOf(locator: Locator) {
  const box = await locator.boundingBox()
  if (!box) throw new Error('it is not shown')
  return box
}

/**
 * Returns the rendered lines of an element. The function runs in the page. It is text, because the tests have no DOM
 * types.
 */
const readLines = `globalThis.readLines = (element) => {
  const lines = new Map()
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.textContent.length; at++) {
      const range = document.createRange()
      range.setStart(node, at)
      range.setEnd(node, at + 1)
      const [box] = range.getClientRects()
      if (!box) continue
      const middle = Math.round((box.top + box.bottom) / 2)
      lines.set(middle, (lines.get(middle) ?? '') + node.textContent[at])
    }
  }
  return [...lines.values()]
}`

function textLines(locator: Locator): Promise<string[]> {
  return locator.first().evaluate((element): string[] => Reflect.get(globalThis, 'readLines')(element))
}

async function linesOf(locator: Locator): Promise<number> {
  return (await textLines(locator)).length
}

/** A line ends after an @, a dot or a hyphen. */
function expectWholeWords(lines: string[], email: string): void {
  expect(lines.join('')).toBe(email)
  for (const line of lines.slice(0, -1)) expect(line).toMatch(/[@.-]$/)
}
