import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { makeProject, makeWorkshop, node, pack, run, withConsumer } from './workshop.ts'

// The command as it is installed from tarballs, without the simulator and with it.

const workshop = makeWorkshop()
/** An application with core and the command, as in production. */
const alone = join(workshop.folder, 'alone')
/** The same application with the simulator. */
const both = join(workshop.folder, 'both')

async function prepare(): Promise<void> {
  const tarball = async (name: 'core' | 'cli' | 'simulator') => `file:${await pack(name, workshop.folder)}`
  const packages = {
    '@scalekit-scim/core': await tarball('core'),
    '@scalekit-scim/cli': await tarball('cli'),
  }
  const simulator = await tarball('simulator')
  await Promise.all([
    makeProject(alone, packages),
    makeProject(both, { ...packages, '@scalekit-scim/simulator': simulator }),
  ])
  for (const project of [alone, both]) await writeFile(join(project, 'receiver.mjs'), receiver)
}

/** An application without a web framework. Its secret is in SCALEKIT_WEBHOOK_SECRET. */
const receiver = `
import { createServer } from 'node:http'
import { createReceiver } from '@scalekit-scim/core'
import { nodeBody } from '@scalekit-scim/core/adapter'

const receiver = createReceiver({ logger: false, onUserUpserted: (event) => console.log('upserted', event.data.id) })
const server = createServer(async (request, response) => {
  const { method, url, headers } = request
  const reply = await receiver.receive({ method, url, headers, body: nodeBody(request) })
  response.writeHead(reply.status, reply.headers).end(reply.body)
})
server.listen(0, '127.0.0.1', () => console.log('listening', server.address().port))
`

// Each test awaits the installation. If it fails, for example without a registry, every test fails and no test is
// skipped.
let prepared: Promise<void> | undefined
beforeEach(() => {
  prepared ??= prepare()
  return prepared
}, 180_000)

afterAll(() => workshop.clear())

const bin = (project: string) => join(project, 'node_modules/.bin/scalekit-scim')

/** The names of all packages that npm has installed, at any depth. */
function installedIn(project: string): string[] {
  const folders = readdirSync(project, { recursive: true, encoding: 'utf8' })
  return folders.flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/@.][^/]*)$/.exec(path)?.[1] ?? [])
}

const ofTheSimulator = [
  '@scalekit-scim/simulator',
  '@scalekit-sdk/node',
  '@connectrpc/connect',
  'express',
  'lit-html',
]

describe('the command without the simulator', () => {
  test('the command without the simulator installs no package of the simulator', () => {
    const ours = ['@scalekit-scim/core', '@scalekit-scim/cli', 'commander']
    expect(installedIn(alone)).toEqual(expect.arrayContaining(ours))
    expect(installedIn(both)).toEqual(expect.arrayContaining([...ours, ...ofTheSimulator]))
    const unwanted = /^(@scalekit-scim\/simulator|@scalekit-sdk\/.*|@connectrpc\/.*|express|lit-html)$/
    expect(installedIn(alone).filter((name) => unwanted.test(name))).toEqual([])
  })

  test('the command shows its help and its version', async () => {
    expect(await run(alone, bin(alone), '--help')).toContain('Usage: scalekit-scim')
    expect(await run(alone, bin(alone), 'simulate', '--help')).toContain('--port <number>')
    const { version } = JSON.parse(
      await readFile(join(alone, 'node_modules/@scalekit-scim/cli/package.json'), 'utf8'),
    )
    expect(await run(alone, bin(alone), '--version')).toBe(`${version}\n`)
  })

  test('send and doctor work against an application', async () => {
    await withConsumer(alone, 'receiver.mjs', async (url, lines) => {
      const sent = JSON.parse(await run(alone, bin(alone), 'send', 'user_created', '--to', url, '--json'))
      expect(sent).toMatchObject({ delivered: true, status: 201 })
      expect(await lines.next('upserted ')).toBe(sent.event.data.id)
      const examined = JSON.parse(await run(alone, bin(alone), 'doctor', url, '--json'))
      expect(examined).toMatchObject({ good: true, wrong: 0 })
    })
  })

  test('simulate without the simulator exits with 1 and names the package', async () => {
    const child = spawn(bin(alone), ['simulate', '--port', '0'], { cwd: alone })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    const [exitCode] = await once(child, 'close')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^scalekit-scim: simulate needs @scalekit-scim\/simulator, which is not installed\. Run npm install -D @scalekit-scim\/simulator@\d+\.\d+\.\d+\.\n$/,
      ),
    })
  })

  test('a missing dependency of the simulator is not reported as a missing simulator', async () => {
    const broken = join(alone, 'node_modules/@scalekit-scim/simulator')
    onTestFinished(() => rm(broken, { recursive: true }))
    await mkdir(broken)
    await writeFile(
      join(broken, 'package.json'),
      '{"name":"@scalekit-scim/simulator","exports":"./index.mjs"}',
    )
    await writeFile(join(broken, 'index.mjs'), "import 'express'")
    await expect(run(alone, bin(alone), 'simulate')).rejects.toThrow("Cannot find package 'express'")
  })
})

test('with the simulator, simulate serves the console, with all that the page loads, and ends on SIGINT', async () => {
  const main = join(both, 'node_modules/@scalekit-scim/cli/dist/main.js')
  const child = spawn(process.execPath, [main, 'simulate', '--port', '0', '--json'], {
    cwd: both,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  const { url } = JSON.parse(String(said))
  const page = await fetch(url)
  expect(page.status).toBe(200)
  const loaded = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path)
  expect(loaded.length).toBeGreaterThan(1)
  for (const path of [...loaded, '/console/lit-html/lit-html.js']) {
    expect((await fetch(url + path)).status, path).toBe(200)
  }
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  expect(await ended).toEqual([0, null])
})

test('the command cannot be imported: it has no entry but its manifest', async () => {
  await expect(node(alone, '--eval', "import('@scalekit-scim/cli')")).rejects.toThrow(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  )
})
