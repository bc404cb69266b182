import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { parse } from 'yaml'
import { environment, folder, run } from './processes.ts'
import { ownDatabase, ownNamespace, redisUrl, skip } from './servers.ts'

// These tests do not need a container engine. The tests run the steps of the Dockerfile as commands in a folder, with a
// stub of npm, and parse compose.yaml. Only a machine with an engine can check that the images build and start.

const databaseUrl = skip ? '' : await ownDatabase()
const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8')

interface Step {
  instruction: string
  rest: string
}

/** The stages of a Dockerfile, each with its steps. Throws on a line that is not an instruction. */
function stagesOf(text: string): { name: string; image: string; steps: Step[] }[] {
  const stages: ReturnType<typeof stagesOf> = []
  for (const line of text.replaceAll('\\\n', '').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, instruction = '', rest = ''] =
      /^([A-Z]+) (.+)$/.exec(line) ?? assert.fail(`no instruction: ${line}`)
    if (instruction === 'FROM') {
      const [image = '', , name = 'last'] = rest.split(' ')
      stages.push({ name, image, steps: [] })
    } else (stages.at(-1) ?? assert.fail('no FROM')).steps.push({ instruction, rest })
  }
  return stages
}

describe('the Dockerfile', () => {
  it('the images are slim Node 24 images, with NODE_ENV=production and without root', () => {
    const stages = stagesOf(dockerfile)
    assert.deepEqual(
      stages.map(({ image }) => image),
      ['node:24-slim', 'node:24-slim'],
    )
    const last = Object.groupBy(stages.at(-1)?.steps ?? [], ({ instruction }) => instruction)
    assert.match(last.ENV?.[0]?.rest ?? '', /NODE_ENV=production/)
    assert.deepEqual(last.USER, [{ instruction: 'USER', rest: 'node' }])
    assert.equal(last.HEALTHCHECK?.length, 1)
  })

  it('as a script in a folder, the steps start a healthy server', {
    skip,
    timeout: 60_000,
  }, async (t) => {
    const image = await build(t)
    const port = await freePort()
    const env = {
      ...image.env,
      SCALEKIT_WEBHOOK_SECRET: TEST_SECRET,
      DATABASE_URL: databaseUrl,
      LEDGER_URL: redisUrl,
      LEDGER_NAMESPACE: ownNamespace(),
      HOST: '127.0.0.1',
      PORT: String(port),
      DRAIN_SECONDS: '0',
    }
    const check = () => run(t, image.healthCheck, env, { cwd: image.cwd }).ended
    assert.equal(await check(), 1)

    const server = run(t, image.command, env, { cwd: image.cwd })
    await server.line('Server listening')
    assert.equal(await check(), 0)
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
  })
})

interface Image {
  cwd: string
  env: NodeJS.ProcessEnv
  command: string[]
  healthCheck: string[]
}

/** Runs the steps of each stage in a separate folder. Returns the folder of the last stage. */
async function build(t: TestContext): Promise<Image> {
  const root = await mkdtemp(join(tmpdir(), 'fastify-postgres-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const PATH = [await fakeNpm(root), environment.PATH].join(delimiter)
  const image: Image = { cwd: '', env: {}, command: [], healthCheck: [] }
  for (const { name, steps } of stagesOf(dockerfile)) {
    for (const { instruction, rest } of steps) {
      if (instruction === 'WORKDIR') {
        image.cwd = join(root, name, rest)
        await mkdir(image.cwd, { recursive: true })
      } else if (instruction === 'COPY') await copy(rest, root, image.cwd)
      else if (instruction === 'RUN') {
        const step = run(t, ['-c', rest], { PATH }, { cwd: image.cwd, command: '/bin/sh' })
        assert.equal(await step.ended, 0, step.output())
      } else if (instruction === 'ENV')
        Object.assign(image.env, Object.fromEntries(rest.split(' ').map(pair)))
      else if (instruction === 'CMD') image.command = withoutNode(rest)
      else if (instruction === 'HEALTHCHECK') image.healthCheck = withoutNode(rest.slice(rest.indexOf('[')))
      else assert.match(instruction, /^(USER|EXPOSE)$/)
    }
  }
  return image
}

/** A stub of npm that installs the packages of this test, and not the packages of the registry. */
async function fakeNpm(root: string): Promise<string> {
  const bin = join(root, 'bin')
  await mkdir(bin)
  await writeFile(
    join(bin, 'npm'),
    `#!/bin/sh\ntest "$1 $2" = 'install --omit=dev' && test -f package.json && ln -s '${join(folder, 'node_modules')}' .\n`,
  )
  await chmod(join(bin, 'npm'), 0o755)
  return bin
}

async function copy(rest: string, root: string, cwd: string): Promise<void> {
  const words = rest.split(' ')
  const stage = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  const to = words.pop() ?? ''
  for (const word of words) {
    const from = stage === undefined ? join(folder, word) : join(root, stage, word)
    // If the pattern of a file contains a star, the file can be missing.
    if (word.endsWith('*')) continue
    if (word.endsWith('node_modules')) await symlink(from, join(cwd, to))
    else await cp(from, to.endsWith('/') ? join(cwd, to, word) : join(cwd, to), { recursive: true })
  }
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}

function withoutNode(json: string): string[] {
  const [program, ...args] = JSON.parse(json)
  assert.equal(program, 'node')
  return args
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  return typeof address === 'object' && address ? address.port : assert.fail()
}

describe('compose.yaml', () => {
  it('the app uses variables of .env.example and waits for healthy servers', async () => {
    const text = await readFile(join(folder, 'compose.yaml'), 'utf8')
    const { services, volumes } = parse(text, { strict: true })
    const example = await readFile(join(folder, '.env.example'), 'utf8')
    for (const [, name] of text.matchAll(/\$\{(\w+)/g)) assert.match(example, new RegExp(`^${name}=`, 'm'))
    for (const { depends_on } of [services.app, services.worker]) {
      for (const [name, { condition }] of Object.entries<{ condition: string }>(depends_on)) {
        assert.equal(condition, 'service_healthy')
        assert.ok(services[name].healthcheck?.test ?? services[name].build)
      }
    }
    for (const mount of [...services.postgres.volumes, ...services.redis.volumes]) {
      assert.ok(mount.split(':')[0] in volumes)
    }
    // Other machines cannot reach these ports.
    for (const { ports = [] } of Object.values<{ ports?: string[] }>(services)) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
    }
  })

  it('the worker uses the same servers as the app, but not a health check over HTTP', async () => {
    const { services } = parse(await readFile(join(folder, 'compose.yaml'), 'utf8'))
    const { command, environment, healthcheck } = services.worker
    assert.ok((await readFile(join(folder, command[1]), 'utf8')).includes('sync.start()'))
    assert.equal(healthcheck.disable, true)
    for (const name of ['DATABASE_URL', 'LEDGER_URL'])
      assert.equal(environment[name], services.app.environment[name])
  })

  it('Redis does not lose data', async () => {
    const { services } = parse(await readFile(join(folder, 'compose.yaml'), 'utf8'))
    assert.match(services.redis.command.join(' '), /--appendonly yes --maxmemory-policy noeviction/)
  })
})
