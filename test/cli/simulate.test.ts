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

/** Starts the simulator as a process, and waits until its output contains `until`. */
async function start(args: readonly string[], until: string, env: NodeJS.ProcessEnv = {}) {
  const child = startCommand(['simulate', '--port', '0', ...args], { env })
  children.push(child)
  const complaints = text(child.stderr)
  let output = ''
  child.stdout.setEncoding('utf8')
  const outputWith = async (part: string) => {
    while (!output.includes(part)) {
      const [chunk] = await Promise.race([
        once(child.stdout, 'data'),
        once(child, 'exit').then(async () => {
          throw new Error(`it has ended: ${await complaints}`)
        }),
      ])
      output += chunk
    }
    return output
  }
  const printed = await outputWith(until)
  const stop = async () => {
    const closed = once(child, 'close')
    child.kill('SIGINT')
    await closed
    return { exitCode: child.exitCode, stderr: await complaints }
  }
  return { output: printed, outputWith, child, stop }
}

test('the printed variables are enough for the SDK, and Ctrl-C exits with 0', async () => {
  const { output, stop } = await start(['--json'], '\n}\n')
  const { url, scim, variables } = JSON.parse(output)
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

/** The simulator with a delivery under way. The endpoint answers when `answer` is called. */
async function startWithHungDelivery() {
  const underWay = Promise.withResolvers<() => void>()
  const hooks = await serve((_req, res) => underWay.resolve(() => void res.writeHead(201).end()))
  const simulator = await start(['--endpoint', hooks], 'Finished deliveries:\n')
  const [, url, directoryId] = /SCIM +(\S+)\/scim\/v2\/(\S+)/.exec(simulator.output) ?? []
  await fetch(`${url}/console/api/directories/${directoryId}/disable`, { method: 'POST' })
  return { ...simulator, answer: await underWay.promise }
}

const waiting = 'Waiting up to 10 s for answers (running attempts: 1). Press Ctrl-C again'

test('Ctrl-C waits for deliveries under way, and a second Ctrl-C stops at once', async () => {
  const { child, outputWith, stop } = await startWithHungDelivery()
  child.kill('SIGINT')
  await outputWith(waiting)
  await sleep(600)
  const askedAtMs = performance.now()
  expect((await stop()).exitCode).toBe(130)
  expect(performance.now() - askedAtMs).toBeLessThan(5000)
})

test('a Ctrl-C that npx forwards counts once', async () => {
  const { child, outputWith, answer } = await startWithHungDelivery()
  const closed = once(child, 'close')
  child.kill('SIGINT')
  child.kill('SIGTERM')
  await outputWith(waiting)
  answer()
  await closed
  expect(child.exitCode).toBe(0)
})

test('the text output has the addresses and the variables to copy', async () => {
  const hooks = await serve((_req, res) => void res.writeHead(201).end())
  const { output, stop } = await start(['--endpoint', hooks, '--seed', 'acme'], 'Finished deliveries:\n')
  expect(output).toMatch(/^The simulator is running at http:\/\/127\.0\.0\.1:\d+\. Ctrl-C stops it\.$/m)
  expect(output).toMatch(/^ {2}SCIM {6}http:\/\/127\.0\.0\.1:\d+\/scim\/v2\/dir_\d+ {2}Acme directory$/m)
  expect(output).toMatch(/^ {2}Token {5}scim_\w+$/m)
  expect(output).toContain(`  Webhooks  ${hooks}\n`)
  for (const name of ['ENVIRONMENT_URL', 'CLIENT_ID', 'CLIENT_SECRET', 'WEBHOOK_SECRET']) {
    expect(output).toMatch(new RegExp(`^  SCALEKIT_${name}=\\S+$`, 'm'))
  }
  expect((await stop()).exitCode).toBe(0)
})

test('a given secret is not printed, and replaces the secret of an earlier run', async () => {
  const hooks = await serve((_req, res) => void res.writeHead(201).end())
  const file = join(folder, 'kept.json')
  const args = ['--endpoint', hooks, '--file', file, '--json']
  const before = await start(args, '\n}\n')
  const own = JSON.parse(before.output).variables.SCALEKIT_WEBHOOK_SECRET
  expect(own).toMatch(/^whsec_/)
  await before.stop()

  const after = await start(args, '\n}\n', { SCALEKIT_WEBHOOK_SECRET: TEST_SECRET })
  expect(JSON.parse(after.output).scim).toMatchObject([{ token: JSON.parse(before.output).scim[0].token }])
  expect(after.output).not.toContain('whsec_')
  await after.stop()
})

test('a port in use is reported in one line', async () => {
  const { port } = new URL(await serve(() => {}))
  const ran = await runCommand(['simulate', '--port', port])
  expect(ran).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `scalekit-scim: Cannot listen on port ${port} of 127.0.0.1 (EADDRINUSE): the port is in use. Choose another port, or 0 for any free port.\n`,
  })
})

test('an endpoint that is given twice is used once, and its password is not printed', async () => {
  const hooks = (await serve((_req, res) => void res.writeHead(201).end())).replace(
    '//',
    '//ada:open-sesame@',
  )
  const { output, stop } = await start(['--endpoint', hooks, '--endpoint', hooks], 'Finished deliveries:\n')
  expect(output.match(/^ {2}Webhooks {2}.*$/gm)).toEqual([
    `  Webhooks  ${hooks.replace('ada:open-sesame@', '')}`,
  ])
  expect(output).not.toContain('sesame')
  await stop()
})

test('a file that cannot be written is reported in one line', async () => {
  const gone = mkdtempSync(join(tmpdir(), 'scim-gone-'))
  const { stop } = await start(['--file', join(gone, 'kept.json'), '--json'], '\n}\n')
  rmSync(gone, { recursive: true })
  const { exitCode, stderr } = await stop()
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/^scalekit-scim: .*kept\.json cannot be written.*\n$/m)
  expect(stderr).not.toContain('    at ')
})
