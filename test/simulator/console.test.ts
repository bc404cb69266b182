import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createReceiver, type Receiver } from '@scalekit-scim/core'
import { createSimulator, type Simulator } from '@scalekit-scim/simulator'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chromiumPath, launchChromium } from '../support/chromium.ts'

// Writes screenshots of each state: CONSOLE_SHOTS=/some/folder npm test -- console
const shots = process.env.CONSOLE_SHOTS

describe.skipIf(!chromiumPath)('the console, in Chromium', () => {
  let browser: Browser
  let simulator: Simulator
  let application: Application
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    application = await startApplication()
    simulator = await createSimulator({
      endpoints: [{ url: application.url, secret }],
      retryJitterShare: 0,
    })
    const organization = simulator.environment.createOrganization({ displayName: 'Acme' })
    simulator.environment.createDirectory(organization.id, { name: 'Okta' })
    await simulator.deliveries.idle()
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    page.setDefaultTimeout(20_000)
    complaints = []
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(simulator.url)
  })
  afterEach(async () => {
    await page.close()
    await simulator.close()
    await application.close()
    expect(complaints).toEqual([])
  })

  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const person = (name: string) => page.getByRole('row').filter({ hasText: name })
  const message = (text: string) => page.getByRole('listitem').filter({ hasText: text }).first()
  const show = async (name: string) => {
    if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
  }

  const wider = () => page.evaluate('document.documentElement.scrollWidth - innerWidth')
  const confirm = (action: string) => page.getByRole('dialog').getByRole('button', { name: action }).click()

  async function hire(givenName: string, familyName: string) {
    await button('Add user').click()
    await page.getByLabel('Given name').fill(givenName)
    await page.getByLabel('Family name').fill(familyName)
    await page.getByLabel('Email').fill(`${givenName.toLowerCase()}@example.com`)
    await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
    await person(givenName).waitFor()
  }

  it('the console adds, updates, deactivates and deletes a user, and the application receives each event', async () => {
    await hire('Noor', 'Santos')
    await message('user created').getByText('201 processed').first().waitFor()
    await show('hired')

    await button('Update Noor Santos').click()
    await page.getByLabel('Title').fill('Head of Support')
    await button('Save').click()
    await person('Head of Support').waitFor()
    await message('user updated').getByText('201 processed').first().waitFor()

    await button('Deactivate Noor Santos').click()
    await person('Noor').getByText('deactivated').waitFor()
    await show('deactivated')

    await button('Delete Noor Santos').click()
    await show('deleting')
    await confirm('Delete')
    await page.getByText('No users yet').waitFor()
    await message('user deleted').getByText('201 processed').first().waitFor()
    await show('deleted')

    expect(application.received).toEqual(['enabled', 'created', 'updated', 'deactivated', 'deleted'])
  })

  it('the console replays, duplicates and forges a message, and shows each answer', async () => {
    await hire('Mei', 'Weber')
    const created = message('user created')
    await created.getByText('201 processed').first().waitFor()

    await created.getByRole('button', { name: /^Replay/ }).click()
    await created.getByText('200 duplicate').first().waitFor()
    await show('replayed')
    await created.getByRole('button', { name: /^Duplicate/ }).click()
    await created.getByText('5 attempts').waitFor()
    await created.getByRole('button', { name: /^Forge/ }).click()
    await created.getByText('400 invalid-signature').first().waitFor()
    await created.getByRole('button', { name: /^Details/ }).click()
    await created.getByRole('cell', { name: 'forge', exact: true }).waitFor()
    await show('forged')

    expect(application.received).toEqual(['enabled', 'created'])
  })

  it('the console shows the next retry while the application fails, and the later delivery', async () => {
    application.isBroken = true
    await hire('Jonas', 'Hart')
    const created = message('user created')
    await created.getByText('500 handler-failed').first().waitFor()
    await created.getByText('next at').first().waitFor()
    await show('retrying')
    application.isBroken = false
    await created.getByText('201 processed').first().waitFor()
  })

  it('the console counts down to the next attempt', async () => {
    // The wait of 5 s takes 20 s here, so that a slow machine can observe it.
    await using slow = await createSimulator({
      endpoints: [{ url: application.url, secret }],
      retryJitterShare: 0,
      clockSpeed: 0.25,
    })
    application.isBroken = true
    slow.environment.createDirectory(slow.environment.createOrganization({ displayName: 'Acme' }).id)
    await page.goto(slow.url)
    const wait = page.getByText(/\(in \d s\)/)
    const seen = new Set<string | null>()
    await expect.poll(async () => seen.add(await wait.textContent()).size, { timeout: 20_000 }).toBe(3)
    // The page closes before the simulator, because an open page would log errors.
    await page.goto('about:blank')
  })

  it('the console shows the newest messages, more on demand, and optionally only undelivered ones', async () => {
    const { environment, deliveries } = simulator
    const [organization] = environment.organizations
    const [directory] = environment.directoriesOf(organization?.id ?? '')
    for (let number = 1; number <= 120; number++) {
      environment.createUser(directory?.id ?? '', { attributes: { userName: `person ${number}` } })
    }
    await deliveries.idle()
    application.isBroken = true
    environment.createUser(directory?.id ?? '', { attributes: { userName: 'unlucky' } })
    await page.getByText('Newest 100 of 122 messages.').waitFor()
    const list = page.getByRole('list', { name: /^Messages/ }).locator('> li')
    expect(await list.count()).toBe(100)
    await show('many')
    await page.getByRole('button', { name: 'Show 100 more' }).click()
    await expect.poll(() => list.count()).toBe(122)
    await message('directory enabled Okta').waitFor()

    await page.getByLabel('Only undelivered messages').check()
    await expect.poll(() => list.count()).toBe(1)
    await message('unlucky').getByText('500 handler-failed').first().waitFor()
    application.isBroken = false
    await button('Replay user created, unlucky').click()
    await page.getByText('All messages are delivered.').waitFor()
  })

  it('the console shows the variables that the application needs', async () => {
    await page.getByText('Variables for your application').click()
    const { SCALEKIT_CLIENT_ID: clientId, SCALEKIT_WEBHOOK_SECRET: webhookSecret } = simulator.variables
    await page.getByText(`SCALEKIT_CLIENT_ID=${clientId}`).waitFor()
    await page.getByText(`SCALEKIT_WEBHOOK_SECRET=${webhookSecret}`).waitFor()
    await show('variables')
  })

  it('the console disables a directory, and creates an organization and a group with members', async () => {
    await button('New group').click()
    await page.getByLabel('Name').fill('Engineering')
    await button('Create').click()
    await page.getByRole('row').filter({ hasText: 'Engineering' }).waitFor()
    await hire('Elena', 'Rossi')
    await button('Update Elena Rossi').click()
    await page.getByRole('checkbox', { name: 'Engineering' }).check()
    await button('Save').click()
    await person('Elena').getByText('Engineering').waitFor()
    await button('Delete Engineering').click()
    await confirm('Delete')
    await person('Elena').getByText('no groups').waitFor()

    await button('Disable').click()
    await button('Enable').waitFor()
    for (const name of [
      'Add user',
      'New group',
      'Update Elena Rossi',
      'Deactivate Elena Rossi',
      'Delete Elena Rossi',
    ]) {
      expect(await button(name).first().isDisabled(), name).toBe(true)
    }
    await show('disabled')

    await button('New organization').click()
    await page.getByLabel('Name').fill('Globex')
    await button('Create').click()
    await page.getByRole('option', { name: /^Globex/, selected: true }).waitFor({ state: 'attached' })
    await page.getByText('No users yet').waitFor()
  })

  it('the console shows the previous page after the last user of a page is deleted', async () => {
    const { environment } = simulator
    const [organization] = environment.organizations
    const [directory] = environment.directoriesOf(organization?.id ?? '')
    for (let number = 1; number <= 26; number++) {
      environment.createUser(directory?.id ?? '', {
        attributes: { userName: `person ${number}`, displayName: `Person ${number}` },
      })
    }
    await page.getByText('1 to 25 of 26 users').waitFor()
    await button('Next').click()
    await button('Delete Person 1').click()
    await confirm('Delete')
    await person('Person 26').waitFor()
  })

  it('the console can be used with the keyboard only', async () => {
    await button('Add user').focus()
    await page.keyboard.press('Enter')
    const field = page.getByLabel('Given name')
    await field.waitFor()
    await page.keyboard.press('Escape')
    await field.waitFor({ state: 'detached' })
    await page.keyboard.press('Enter')
    await field.press('Enter')
    await page.getByRole('row').nth(1).waitFor()
  })

  it('the console requires a confirmation before it deletes a user, also with the keyboard', async () => {
    await hire('Uma', 'Costa')
    const ask = page.getByRole('dialog', { name: 'Delete Uma Costa?' })
    const remove = button('Delete Uma Costa')
    await remove.focus()
    // The focus starts on Cancel, and returns to the button.
    for (const key of ['Enter', 'Escape']) {
      await page.keyboard.press('Enter')
      await ask.waitFor()
      await page.keyboard.press(key)
      await ask.waitFor({ state: 'detached' })
      await expect.poll(() => page.evaluate('document.activeElement.ariaLabel')).toBe('Delete Uma Costa')
    }
    expect(simulator.deliveries.messages.map(({ event }) => event.type)).not.toContain(userDeleted)

    await page.keyboard.press('Enter')
    await ask.waitFor()
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByText('No users yet').waitFor()
    expect(simulator.deliveries.messages.map(({ event }) => event.type)).toContain(userDeleted)
  })

  it('the console requires a confirmation before it removes an endpoint', async () => {
    await page.getByText(`To ${application.url}`).click()
    await button(`Remove ${application.url}`).click()
    await show('removing')
    await confirm('Remove')
    await button(`Remove ${application.url}`).waitFor({ state: 'detached' })
    expect(simulator.deliveries.endpoints).toEqual([])
  })

  it('the console has a dark theme, and does not scroll sideways on a narrow screen', async () => {
    await hire('Wen', 'Tanaka')
    await page.emulateMedia({ colorScheme: 'dark' })
    await show('dark')
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await wider()).toBeLessThanOrEqual(0)
    await show('narrow')
  })

  it.each(['with spaces ', 'withoutspaces'])('a long name %s does not widen the console', async (part) => {
    const long = part.repeat(500 / part.length).trim()
    const { environment } = simulator
    const { id } = environment.createOrganization({ displayName: long })
    const directory = environment.createDirectory(id, { name: long })
    const group = environment.createGroup(directory.id, { displayName: long })
    environment.createUser(directory.id, {
      attributes: { userName: long, email: `${long}@example.com`, givenName: long, title: long },
      groupIds: [group.id],
    })
    simulator.deliveries.addEndpoint({ url: `http://127.0.0.1:9/${part.trim().replace(' ', '').repeat(40)}` })
    await page.getByRole('combobox', { name: /^Directory/ }).selectOption(directory.id)
    await person(long).first().waitFor()
    await page.getByText('To 2 endpoints').click()
    for (const [name, width] of [
      ['wide', 1280],
      ['narrow', 390],
    ] as const) {
      await page.setViewportSize({ width, height: 900 })
      const opened = [
        page.locator('body'),
        button(`Delete ${long}`).first(),
        page.getByRole('button', { name: /^New directory/ }),
      ]
      for (const [index, opener] of opened.entries()) {
        await opener.click({ position: { x: 1, y: 1 } })
        await show(`long-${part.trim()}-${name}-${index}`)
        expect(await wider(), `${name} ${index}`).toBeLessThanOrEqual(0)
        await page.keyboard.press('Escape')
      }
    }
  })
})

const userDeleted = 'organization.directory.user_deleted'

describe('the console, for requests from outside its page', () => {
  it('the console refuses other host names, and changes from other pages', async () => {
    await using simulator = await createSimulator()
    const state = `${simulator.url}/console/api/state`
    const organizations = `${simulator.url}/console/api/organizations`
    const change = (headers: Record<string, string>) =>
      fetch(organizations, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"displayName":"Evil"}',
      })

    expect((await fetch(state)).status).toBe(200)
    expect((await change({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await change({ origin: 'null' })).status).toBe(403)
    expect(await statusByHost(simulator.url, 'evil.example')).toBe(403)
    expect(simulator.environment.organizations).toEqual([])
    expect((await change({ origin: new URL(simulator.url).origin })).status).toBe(201)
  })

  it.each([
    ['a body that is not an object', '[]', 'Invalid input: expected object, received array'],
    ['an unknown name', '{"displayName":"Acme","x":1}', 'Unrecognized key: "x"'],
    [
      'a number instead of a string',
      '{"displayName":7}',
      'displayName: Invalid input: expected string, received number',
    ],
  ])('the console answers 400 with the problem for %s', async (_what, body, error) => {
    await using simulator = await createSimulator()
    const response = await fetch(`${simulator.url}/console/api/organizations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect([response.status, await response.json()]).toEqual([400, { error }])
  })
})

const secret = 'whsec_Y29uc29sZS10ZXN0LXNlY3JldC10aGlydHktdHdv'

interface Application {
  url: string
  received: string[]
  isBroken: boolean
  close(): Promise<void>
}

async function startApplication(): Promise<Application> {
  const received: string[] = []
  const handlerFor = (what: string) => () => {
    if (application.isBroken) throw new Error('broken on purpose')
    received.push(what)
  }
  const receiver: Receiver = createReceiver({
    secret,
    store: 'memory',
    logger: false,
    onDirectoryEnabled: handlerFor('enabled'),
    onUserCreated: handlerFor('created'),
    onUserUpdated: handlerFor('updated'),
    onUserDeactivated: handlerFor('deactivated'),
    onUserDeleted: handlerFor('deleted'),
  })
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const answer = await receiver.receive({ method, url, headers, body: Buffer.concat(chunks) })
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const application: Application = {
    url: `http://127.0.0.1:${port}/webhooks/scalekit`,
    received,
    isBroken: false,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await receiver.close()
    },
  }
  return application
}

/** `fetch` always sends the host of the URL. */
async function statusByHost(url: string, host: string): Promise<number | undefined> {
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    request(`${url}/console/api/state`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}
