import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { codeBlocks, readDocument } from '../docs/markdown.ts'
import { deliverTo, makeProject, makeWorkshop, node, type PackageName, pack, processed } from './workshop.ts'

// These tests run Jest, the compilers of TypeScript, and esbuild on the packed packages.

const require = createRequire(import.meta.url)
const workshop = makeWorkshop()
/** One project has everything, and the other project has only core, without the SDK. */
const full = join(workshop.folder, 'full')
const alone = join(workshop.folder, 'alone')

async function prepare(): Promise<void> {
  const names: PackageName[] = ['core', 'express', 'fastify', 'simulator']
  const tarballs: Record<string, string> = {}
  for (const name of names) tarballs[`@scalekit-scim/${name}`] = `file:${await pack(name, workshop.folder)}`
  const core = '@scalekit-scim/core'
  await Promise.all([
    makeProject(full, {
      ...tarballs,
      '@scalekit-sdk/node': '^2.11.0',
      '@types/express': '^5.0.0',
      '@types/node': '^22.13.0',
      express: '^5.0.0',
      fastify: '^5.0.0',
      jest: '^30.0.0',
    }),
    makeProject(alone, { [core]: tarballs[core] ?? '' }),
  ])
}

// The installation runs once, and each test awaits it. If it fails, each test fails, and no test is skipped.
let prepared: Promise<void> | undefined
beforeEach(() => {
  prepared ??= prepare()
  return prepared
}, 180_000)

afterAll(() => workshop.clear())

describe('in CommonJS under Jest, without a flag', () => {
  const jest = (project: string, file: string) => {
    const bin = join(full, 'node_modules/jest/bin/jest.js')
    return node(project, bin, '--ci', '--rootDir', '.', '--transform', '{}', '--testMatch', `**/${file}`)
  }

  test('scalekitFromEnv returns a client that a sync can use', async () => {
    await jest(full, 'jest.cjs')
  })

  test('scalekitFromEnv names the SDK if it is missing', async () => {
    await jest(alone, 'jest-without-sdk.cjs')
  })
})

const entries = [
  ['core', 'createReceiver'],
  ['core/adapter', 'nodeBody'],
  ['core/internal', 'delay'],
  ['core/sync', 'createDirectorySync'],
  ['core/testing', 'signDelivery'],
  ['express', 'scalekitScim'],
  ['fastify', 'scalekitScim'],
  ['simulator', 'createSimulator'],
] as const

describe.each([
  ['5.9', 'typescript5'],
  ['6', 'typescript'],
  ['7', 'typescript7'],
])('with TypeScript %s, which includes no types by default', (_version, compiler) => {
  // TypeScript 7 no longer has an API, and exports only its manifest.
  const tsc = join(dirname(require.resolve(`${compiler}/package.json`)), 'bin/tsc')

  /** Compiles all entries in one program, because separate programs take several times as long. Returns the errors. */
  async function compile(): Promise<string> {
    const folder = join(full, compiler)
    await mkdir(folder)
    for (const [entry, name] of entries) {
      // The second line fails if a type of Node is unknown, and so `any`.
      const code = `import { ${name} } from '@scalekit-scim/${entry}'
// @ts-expect-error neither a stream, nor options
${name}(Symbol.iterator)
`
      for (const extension of ['mts', 'cts']) {
        await writeFile(join(folder, `${entry.replace('/', '-')}.${extension}`), code)
      }
    }
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022'],
      module: 'nodenext',
      strict: true,
      skipLibCheck: false,
      types: [],
      noEmit: true,
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    return node(folder, tsc, '--project', '.').catch(String)
  }
  let compiled: Promise<string> | undefined

  test.each(entries)('the declarations of %s compile', async (entry) => {
    compiled ??= compile()
    const errors = await compiled
    // An error in a declaration counts as an error of every entry.
    const ofOthers = entries.filter(([other]) => other !== entry).map(([other]) => other.replace('/', '-'))
    const lines = errors.split('\n').filter((line) => !ofOthers.some((other) => line.startsWith(`${other}.`)))
    expect(lines.join('\n').trim()).toBe('')
  })
})

test('each declaration references the types of Node, or imports core, which references them', async () => {
  const without: string[] = []
  for (const name of ['core', 'express', 'fastify', 'simulator']) {
    const dist = join(full, 'node_modules/@scalekit-scim', name, 'dist')
    const declarations = (await readdir(dist)).filter((file) => /\.d\.c?ts$/.test(file))
    expect(declarations.length).toBeGreaterThan(1)
    for (const file of declarations) {
      const text = await readFile(join(dist, file), 'utf8')
      if (!/^\/\/\/ <reference types="node" \/>$|from '@scalekit-scim\/core'/m.test(text))
        without.push(`${name}/${file}`)
    }
  }
  expect(without).toEqual([])
})

describe('one ES module that esbuild makes', () => {
  const frameworks = ['express', 'fastify', '@scalekit-sdk/node']

  /** In this folder, imports find the frameworks, but not the project's packages. */
  async function bundle(file: string, name: string, more: { external?: string[]; banner?: string }) {
    const folder = join(workshop.folder, name)
    await mkdir(join(folder, 'node_modules'), { recursive: true })
    for (const framework of ['express', 'fastify']) {
      await symlink(join(full, 'node_modules', framework), join(folder, 'node_modules', framework))
    }
    await build({
      absWorkingDir: full,
      entryPoints: [file],
      outfile: join(folder, 'app.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
      ...(more.external && { external: more.external }),
      ...(more.banner && { banner: { js: more.banner } }),
    })
    return folder
  }

  test.each(['express.mjs', 'fastify.mjs', 'together.mjs'])(
    'a bundle without the frameworks starts, and receives a delivery: %s',
    async (file) => {
      const folder = await bundle(file, `bundle-${file}`, { external: frameworks })
      expect((await readdir(folder)).sort()).toEqual(['app.mjs', 'node_modules'])
      expect(await deliverTo(folder, 'app.mjs')).toEqual(processed)
    },
  )

  test('a bundle with core/sync starts, and names the SDK if it is missing', async () => {
    const folder = await bundle('sync.mjs', 'bundle-sync', { external: frameworks })
    expect(await node(folder, 'app.mjs')).toBe('true ERR_SCIM_SDK_MISSING\n')
  })

  test.each(['express.mjs', 'fastify.mjs'])(
    'a bundle with the framework starts with the banner of docs/compatibility.md: %s',
    async (file) => {
      const banner = codeBlocks(readDocument('docs/compatibility.md')).find(({ code }) =>
        code.includes('createRequire'),
      )
      const folder = await bundle(file, `banner-${file}`, { banner: banner?.code ?? '' })
      expect(await deliverTo(folder, 'app.mjs')).toEqual(processed)
    },
  )
})
