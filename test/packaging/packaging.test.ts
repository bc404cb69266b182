import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { errorsPage } from '../../packages/core/src/base/errors.ts'
import { codeBlocks, readDocument } from '../docs/markdown.ts'
import {
  deliverTo,
  makeProject,
  makeWorkshop,
  node,
  type PackageName,
  pack,
  processed,
  root,
  run,
} from './workshop.ts'

// These tests run the packed tarballs, which npm installs into projects outside the tree.

const names: PackageName[] = ['core', 'express', 'fastify', 'simulator', 'cli']
const require = createRequire(import.meta.url)
const tsc = require.resolve('typescript/bin/tsc')
const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js')

const workshop = makeWorkshop()
const tarballs = {} as Record<PackageName, string>
/** Express 5 and Fastify 5; Express 4. */
const five = join(workshop.folder, 'five')
const four = join(workshop.folder, 'four')
/** The simulator and the command, with the SDK that the simulator depends on. */
const simulating = join(workshop.folder, 'simulating')

async function prepare(): Promise<void> {
  for (const name of names) tarballs[name] = await pack(name, workshop.folder)
  const node = '^22.13.0'
  const packages = {
    '@scalekit-scim/core': `file:${tarballs.core}`,
    '@scalekit-scim/express': `file:${tarballs.express}`,
  }
  await Promise.all([
    makeProject(five, {
      ...packages,
      '@scalekit-scim/fastify': `file:${tarballs.fastify}`,
      express: '^5.0.0',
      fastify: '^5.0.0',
      '@types/express': '^5.0.0',
      '@types/node': node,
    }),
    makeProject(four, { ...packages, express: '^4.19.0', '@types/express': '^4.17.0', '@types/node': node }),
    makeProject(simulating, {
      '@scalekit-scim/core': `file:${tarballs.core}`,
      '@scalekit-scim/simulator': `file:${tarballs.simulator}`,
      '@scalekit-scim/cli': `file:${tarballs.cli}`,
    }),
  ])
}

// The installation runs once, and each test awaits it. If it fails, each test fails, and no test is skipped.
let prepared: Promise<void> | undefined
beforeEach(() => {
  prepared ??= prepare()
  return prepared
}, 180_000)

afterAll(() => workshop.clear())

describe.each(names)('the tarball of %s', (name) => {
  const project = ['simulator', 'cli'].includes(name) ? simulating : five
  const installed = () => join(project, 'node_modules/@scalekit-scim', name)
  const files = () =>
    readdirSync(installed(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed().length + 1))

  test('the tarball has only its manifest, README, LICENSE and dist, and in core docs/errors.md', () => {
    const others = files().filter((file) => !file.startsWith('dist/') && file !== 'LICENSE')
    const page = name === 'core' ? ['docs/errors.md'] : []
    expect(others.sort()).toEqual(['README.md', ...page, 'package.json'])
    const main =
      name === 'cli'
        ? ['dist/main.js']
        : ['dist/index.js', 'dist/index.cjs', 'dist/index.d.ts', 'dist/index.d.cts']
    expect(files()).toEqual(expect.arrayContaining(main))
  })

  test('the README links only to files of the tarball and to the web', () => {
    const text = readFileSync(join(installed(), 'README.md'), 'utf8')
    const targets = [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, target = '']) => target)
    expect(targets.filter((target) => !/^https:/.test(target) && !files().includes(target))).toEqual([])
  })

  test('the tarball depends on published versions, and on no workspace', () => {
    const manifest = readFileSync(join(installed(), 'package.json'), 'utf8')
    expect(manifest).not.toContain('workspace:')
    const { version, dependencies, private: isPrivate } = JSON.parse(manifest)
    expect(isPrivate).toBeUndefined()
    if (name !== 'core') expect(dependencies['@scalekit-scim/core']).toBe(version)
  })

  test('the tarball has no source map, and no path of the machine that built it', () => {
    expect(files().filter((file) => file.endsWith('.map'))).toEqual([])
    for (const file of files()) {
      const text = readFileSync(join(installed(), file), 'utf8')
      expect(text, file).not.toContain('sourceMappingURL')
      expect(text, file).not.toContain(root)
      expect(text, file).not.toContain('/node_modules/.pnpm/')
      if (homedir() !== '/') expect(text, file).not.toContain(`${homedir()}/`)
    }
  })

  test('publint reports no problem', async () => {
    const tarball = Uint8Array.from(await readFile(tarballs[name])).buffer
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  test('attw reports no problem', async () => {
    // The check skips Node 10's resolution, which ignores `exports`, because these packages need Node 22.
    await node(workshop.folder, attw, tarballs[name], '--profile', 'node16', '--no-color', '--no-emoji')
  })
})

describe.each([
  ['Express 5', () => five, 'express'],
  ['Express 4', () => four, 'express'],
  ['Fastify 5', () => five, 'fastify'],
] as const)('a project on %s', (_name, project, consumer) => {
  test('the project receives a delivery as an ES module', async () => {
    expect(await deliverTo(project(), `${consumer}.mjs`)).toEqual(processed)
  })

  test('the project receives a delivery in CommonJS', async () => {
    expect(await deliverTo(project(), `${consumer}.cjs`)).toEqual(processed)
  })
})

describe.each([
  [
    'Express 5 and Fastify 5',
    () => five,
    ['express.ts', 'fastify.ts', 'core.ts', 'types.cts', 'fastify-types.cts'],
  ],
  ['Express 4', () => four, ['express.ts', 'core.ts', 'types.cts']],
] as const)('a project in TypeScript on %s', (_name, project, files) => {
  let compiled: Promise<string> | undefined
  const compile = async () => {
    const compilerOptions = {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      // The compiler also checks the declarations themselves.
      skipLibCheck: false,
      types: ['node'],
      outDir: 'out',
      rootDir: '.',
    }
    await writeFile(join(project(), 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    return node(project(), tsc, '--project', '.')
  }

  test('the project compiles', async () => {
    compiled ??= compile()
    await compiled
  })

  test.each(files.filter((file) => file.endsWith('.ts')))('%s receives a delivery', async (file) => {
    compiled ??= compile()
    await compiled
    expect(await deliverTo(project(), join('out', file.replace('.ts', '.js')))).toEqual(processed)
  })
})

test('the page that messages refer to is in the tarball of core, with each code and without broken links', () => {
  const page = readFileSync(join(five, errorsPage), 'utf8')
  const own = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  const codes = own.match(/^### ERR_\w+$/gm) ?? []
  expect(codes.length).toBeGreaterThan(5)
  expect(page.match(/^### ERR_\w+$/gm)).toEqual(codes)
  expect([...page.matchAll(/\]\((?!#|https:)([^)]+)\)/g)].map(([, target]) => target)).toEqual([])
})

test.each(['simulator.mjs', 'simulator.cjs'])(
  'the simulator serves its console and its keys from where it is installed: %s',
  async (file) => {
    expect(await node(simulating, file)).toBe('200 200 200 200 200\n')
  },
)

test('after the install of the README, core and the command work in production, and npx needs no registry', async () => {
  const folder = join(workshop.folder, 'as-documented')
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  const block = codeBlocks(readDocument('README.md')).find(({ code }) => code.includes('npm install -D'))
  const lines = (beginning: string) =>
    (block?.code.split('\n') ?? []).filter((line) => line.startsWith(beginning))
  const installs = lines('npm install ')
  expect(installs).toHaveLength(2)
  for (const install of installs) {
    const here = install.replaceAll(/\S+\/(scalekit-scim-\S+)/g, join(workshop.folder, '$1'))
    // The names of the tarballs contain braces, which `sh` may not expand.
    await run(folder, 'bash', '-c', `${here} --prefer-offline --no-audit --no-fund`)
  }

  const commands = lines('npx ')
  expect(commands).toHaveLength(3)
  for (const command of commands) {
    const [named = ''] = /^npx(?: -p \S+)+ scalekit-scim \w+/.exec(command) ?? []
    const help = await run(folder, 'sh', '-c', `npm_config_offline=true ${named} --help`)
    expect(help, command).toContain('Usage: scalekit-scim')
  }

  await run(folder, 'npm', 'install', '--omit=dev', '--offline', '--no-audit', '--no-fund')
  const say = "console.log(typeof require('@scalekit-scim/core').createReceiver)"
  expect(await node(folder, '--eval', say)).toBe('function\n')
  await expect(node(folder, '--eval', "require('@scalekit-scim/simulator')")).rejects.toThrow('Cannot find')
  const bin = join(folder, 'node_modules/.bin/scalekit-scim')
  expect(await run(folder, bin, 'doctor', '--help')).toContain('Usage: scalekit-scim')
  await expect(run(folder, bin, 'simulate')).rejects.toThrow('simulate needs @scalekit-scim/simulator')
})

test.each(['entry-points.mjs', 'entry-points.cjs'])(
  'each class of core is the same at all of its entry points: %s',
  async (file) => {
    expect(await node(five, file)).toBe('index true, adapter true, internal true, testing true, sync true\n')
  },
)

test('a brand identifies an error of the other module system, although its class differs', async () => {
  expect(await node(five, 'both-systems.mjs')).toBe('another class, the same brand\n')
})

test.each(['testing.mjs', 'testing.cjs'])(
  'core/testing signs with the installed package: %s',
  async (file) => {
    expect(await node(five, file)).toBe('true\n')
  },
)

test.each(['sync.mjs', 'sync.cjs'])(
  'core/sync throws core’s own error class if the SDK is not installed: %s',
  async (file) => {
    expect(await node(four, file)).toBe('true ERR_SCIM_SDK_MISSING\n')
  },
)

describe('an import', () => {
  // All of these packages are installed, so an import finds them. Stubs replace the SDK, which is large, and keyv.
  const heavy = ['@scalekit-sdk/node', 'fastify', 'express', 'keyv']

  const standIn = async () => {
    for (const name of ['@scalekit-sdk/node', 'keyv']) {
      const folder = join(five, 'node_modules', name)
      await mkdir(folder, { recursive: true })
      await writeFile(
        join(folder, 'package.json'),
        JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
      )
      await writeFile(join(folder, 'index.js'), 'module.exports = {}')
    }
    await writeFile(join(five, 'all.mjs'), heavy.map((name) => `import '${name}'`).join('\n'))
    await writeFile(join(five, 'all.cjs'), heavy.map((name) => `require('${name}')`).join('\n'))
  }
  let stoodIn: Promise<void> | undefined
  beforeEach(() => {
    stoodIn ??= standIn()
    return stoodIn
  })

  const packagesLoaded = async (how: 'import' | 'require', name: string) => {
    const urls: string[] = JSON.parse(await node(five, 'graph.mjs', how, name))
    const names = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1])
    return new Set(names.filter((name) => name !== undefined))
  }

  test.each([
    ['import', './all.mjs'],
    ['require', './all.cjs'],
  ] as const)('the test detects an import: %s of %s', async (how, file) => {
    expect([...(await packagesLoaded(how, file))]).toEqual(expect.arrayContaining(heavy))
  })

  describe.each(['import', 'require'] as const)('packages that are loaded by %s', (how) => {
    test.each([
      ['@scalekit-scim/core', ['@scalekit-scim/core', 'raw-body']],
      ['@scalekit-scim/core/adapter', ['@scalekit-scim/core', 'raw-body']],
      ['@scalekit-scim/core/internal', ['@scalekit-scim/core']],
      ['@scalekit-scim/core/sync', ['@scalekit-scim/core', 'zod']],
      ['@scalekit-scim/express', ['@scalekit-scim/core', '@scalekit-scim/express']],
      ['@scalekit-scim/fastify', ['@scalekit-scim/core', '@scalekit-scim/fastify', 'fastify-plugin']],
    ])('%s loads neither the SDK, nor a framework, nor a store', async (name, needed) => {
      const loaded = await packagesLoaded(how, name)
      expect([...loaded]).toEqual(expect.arrayContaining(needed))
      expect(heavy.filter((name) => loaded.has(name))).toEqual([])
    })

    test.each(['@scalekit-scim/express', '@scalekit-scim/fastify'])(
      '%s does not load zod, which takes longer to load than the rest',
      async (name) => {
        expect(await packagesLoaded(how, name)).not.toContain('zod')
      },
    )
  })
})
