import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { chromiumPath, launchChromium } from '../support/chromium.ts'

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))

it.skipIf(!chromiumPath)('npm start: who is hired in the console has an account a moment later', async () => {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, PORT: '0', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const addresses = await addressesSaidBy(child)
  const browser = await launchChromium()
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  await page.goto(addresses.Console)
  await page.getByRole('button', { name: 'Hire', exact: true }).first().click()
  await page.getByLabel('Given name').fill('Zoë')
  await page.getByLabel('Family name').fill('Fischer')
  await page.getByRole('dialog').getByRole('button', { name: 'Hire' }).click()
  await page.getByRole('row').filter({ hasText: 'Zoë Fischer' }).waitFor()

  await page.goto(addresses.Application)
  await page.getByText('Zoë Fischer').waitFor()

  child.kill('SIGINT')
  const [code] = await new Promise<unknown[]>((resolve) => child.once('exit', (...ended) => resolve(ended)))
  expect(code).toBe(0)
})

async function addressesSaidBy(child: ChildProcess): Promise<{ Console: string; Application: string }> {
  if (!child.stdout) throw new Error('it has no output')
  const found: Record<string, string> = {}
  for await (const line of createInterface(child.stdout)) {
    const [, name, url] = /^ {2}(Console|Application)\s+(http\S+)/.exec(line) ?? []
    if (name && url) found[name] = url
    const { Console, Application } = found
    if (Console && Application) return { Console, Application }
  }
  throw new Error('it ended without an address')
}
