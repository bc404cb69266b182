import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { serve, stopServing } from '../cli/own-endpoint.ts'
import { chromiumPath, launchChromium } from '../support/chromium.ts'

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))

it.skipIf(!chromiumPath)('npm start: a new user in the console has an account a moment later', async () => {
  const child = start()
  const addresses = await addressesSaidBy(child)
  const browser = await launchChromium()
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  await page.goto(addresses.Console)
  await page.getByRole('button', { name: 'Add user', exact: true }).click()
  await page.getByLabel('Given name').fill('Zoë')
  await page.getByLabel('Family name').fill('Fischer')
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
  await page.getByRole('row').filter({ hasText: 'Zoë Fischer' }).waitFor()

  await page.goto(addresses.Application)
  await page.getByText('Zoë Fischer').waitFor()

  child.kill('SIGINT')
  await once(child, 'exit')
  expect(child.exitCode).toBe(0)
})

it('npm start: a second Ctrl-C does not wait for an endpoint that does not answer', async () => {
  const child = start()
  const { Console } = await addressesSaidBy(child)
  const asked = Promise.withResolvers<void>()
  const url = await serve(() => asked.resolve())
  onTestFinished(stopServing)
  const post = (path: string, body: object) =>
    fetch(`${Console}/console/api${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await post('/endpoints', { url })
  const { id } = (await (await post('/organizations', { displayName: 'Globex' })).json()) as { id: string }
  await post(`/organizations/${id}/directories`, {})
  await asked.promise

  const exited = once(child, 'exit')
  child.kill('SIGINT')
  await sleep(1500)
  expect(child.exitCode).toBe(null)
  child.kill('SIGINT')
  await exited
  expect(child.exitCode).toBe(130)
})

function start(): ChildProcess {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, PORT: '0', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

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
