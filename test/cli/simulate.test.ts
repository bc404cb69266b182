import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { ScalekitClient } from '@scalekit-sdk/node'
import { afterAll, afterEach, expect, test } from 'vitest'
import { runCommand, startCommand } from './command-line.ts'
import { serve, stopServing } from './own-endpoint.ts'

const folder = mkdtempSync(join(tmpdir(), 'scim-simulate-'))
afterAll(() => rmSync(folder, { recursive: true }))

const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await stopServing()
})

/** The simulator as a process of its own, once what it says has that in it. */
async function start(args: readonly string[], until: string, env: NodeJS.ProcessEnv = {}) {
  const child = startCommand(['simulate', '--port', '0', ...args], { env })
  children.push(child)
  const complaints = text(child.stderr)
  let heard = ''
  child.stdout.setEncoding('utf8')
  const hear = async (part: string) => {
    while (!heard.includes(part)) {
      const [chunk] = await Promise.race([
        once(child.stdout, 'data'),
        once(child, 'exit').then(async () => {
          throw new Error(`it has ended: ${await complaints}`)
        }),
      ])
      heard += chunk
    }
    return heard
  }
  const said = await hear(until)
  const stop = async () => {
    const closed = once(child, 'close')
    child.kill('SIGINT')
    await closed
    return { exitCode: child.exitCode, stderr: await complaints }
  }
  return { said, hear, child, stop }
}

test('what it says is enough for the SDK, and Ctrl-C ends it well', async () => {
  const { said, stop } = await start(['--json'], '\n}\n')
  const { url, scim, variables } = JSON.parse(said)
  expect(scim).toMatchObject([
    { url: `${url}/scim/v2/${scim[0].directoryId}`, token: expect.stringMatching(/^scim_/) },
  ])

  const scalekit = new ScalekitClient(
    variables.SCALEKIT_ENVIRONMENT_URL,
    variables.SCALEKIT_CLIENT_ID,
    variables.SCALEKIT_CLIENT_SECRET,
  )
  const { organizations } = await scalekit.organization.listOrganization({ pageSize: 10 })
  expect(organizations.map(({ displayName }) => displayName)).toEqual(['Acme'])

  expect(await stop()).toEqual({ exitCode: 0, stderr: '' })
})

/** The simulator with a delivery under way, to an endpoint that answers when it is told to. */
async function startWithHungDelivery() {
  const underWay = Promise.withResolvers<() => void>()
  const hooks = await serve((_req, res) => underWay.resolve(() => void res.writeHead(201).end()))
  const simulator = await start(['--endpoint', hooks], 'Deliveries, as they end:\n')
  const [, url, directoryId] = /SCIM +(\S+)\/scim\/v2\/(\S+)/.exec(simulator.said) ?? []
  await fetch(`${url}/console/api/directories/${directoryId}/disable`, { method: 'POST' })
  return { ...simulator, answer: await underWay.promise }
}

const waiting = 'Stopping, once what is under way is answered (1), in 10 s at most. Press Ctrl-C again'

test('Ctrl-C waits for what is under way and says so; pressed again it stops at once', async () => {
  const { child, hear, stop } = await startWithHungDelivery()
  child.kill('SIGINT')
  await hear(waiting)
  await sleep(600)
  const askedAtMs = performance.now()
  expect((await stop()).exitCode).toBe(130)
  expect(performance.now() - askedAtMs).toBeLessThan(5000)
})

test('a Ctrl-C that npx passes on as well is one', async () => {
  const { child, hear, answer } = await startWithHungDelivery()
  const closed = once(child, 'close')
  child.kill('SIGINT')
  child.kill('SIGTERM')
  await hear(waiting)
  answer()
  await closed
  expect(child.exitCode).toBe(0)
})

test('for people it says the same, with what to paste', async () => {
  const hooks = await serve((_req, res) => void res.writeHead(201).end())
  const { said, stop } = await start(['--endpoint', hooks, '--seed', 'acme'], 'Deliveries, as they end:\n')
  expect(said).toMatch(/^The simulator is up at http:\/\/127\.0\.0\.1:\d+\. Ctrl-C stops it\.$/m)
  expect(said).toMatch(/^ {2}SCIM {6}http:\/\/127\.0\.0\.1:\d+\/scim\/v2\/dir_\d+ {2}Acme directory$/m)
  expect(said).toMatch(/^ {2}Token {5}scim_\w+$/m)
  expect(said).toContain(`  Webhooks  ${hooks}\n`)
  for (const name of ['ENVIRONMENT_URL', 'CLIENT_ID', 'CLIENT_SECRET', 'WEBHOOK_SECRET']) {
    expect(said).toMatch(new RegExp(`^  SCALEKIT_${name}=\\S+$`, 'm'))
  }
  expect((await stop()).exitCode).toBe(0)
})

test('a secret that was given is not repeated, and replaces that of an earlier run', async () => {
  const hooks = await serve((_req, res) => void res.writeHead(201).end())
  const file = join(folder, 'kept.json')
  const args = ['--endpoint', hooks, '--file', file, '--json']
  const before = await start(args, '\n}\n')
  const own = JSON.parse(before.said).variables.SCALEKIT_WEBHOOK_SECRET
  expect(own).toMatch(/^whsec_/)
  await before.stop()

  const after = await start(args, '\n}\n', { SCALEKIT_WEBHOOK_SECRET: TEST_SECRET })
  expect(JSON.parse(after.said).scim).toMatchObject([{ token: JSON.parse(before.said).scim[0].token }])
  expect(after.said).not.toContain('whsec_')
  await after.stop()
})

test('a port that is taken is said in one line', async () => {
  const { port } = new URL(await serve(() => {}))
  const ran = await runCommand(['simulate', '--port', port])
  expect(ran).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `scalekit-scim: Port ${port} is taken. Give another --port; 0 is any that is free.\n`,
  })
})

test('an endpoint that is given twice is one, and its password is not shown', async () => {
  const hooks = (await serve((_req, res) => void res.writeHead(201).end())).replace(
    '//',
    '//ada:open-sesame@',
  )
  const { said, stop } = await start(['--endpoint', hooks, '--endpoint', hooks], 'Deliveries, as they end:\n')
  expect(said.match(/^ {2}Webhooks {2}.*$/gm)).toEqual([
    `  Webhooks  ${hooks.replace('ada:open-sesame@', '')}`,
  ])
  expect(said).not.toContain('sesame')
  await stop()
})

test('a file that cannot be written is said in one line', async () => {
  const gone = mkdtempSync(join(tmpdir(), 'scim-gone-'))
  const { stop } = await start(['--file', join(gone, 'kept.json'), '--json'], '\n}\n')
  rmSync(gone, { recursive: true })
  const { exitCode, stderr } = await stop()
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/^scalekit-scim: .*kept\.json cannot be written.*\n$/m)
  expect(stderr).not.toContain('    at ')
})
