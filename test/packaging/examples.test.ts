import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeWorkshop, node, type PackageName, pack, root, run } from './workshop.ts'

// Each example is copied out of the repository, as a user does, and depends on the packed tarballs. The tests of the
// examples run only here. Their reports are in .cache/report, where scripts/report.mjs counts them.

const examples = readdirSync(join(root, 'examples'))
const packages: PackageName[] = ['core', 'express', 'fastify', 'simulator']
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const workshop = makeWorkshop()
const reports = join(root, '.cache', 'report')
const tarballs = {} as Record<PackageName, string>

beforeAll(async () => {
  for (const name of packages) tarballs[name] = await pack(name, workshop.folder)
}, 120_000)

afterAll(() => workshop.clear())

/** Copies the example's files that git tracks, without installed or generated files. Returns the folder. */
async function copyOut(example: string): Promise<string> {
  const folder = join(workshop.folder, example)
  const source = join(root, 'examples', example)
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '.'], {
    cwd: source,
    encoding: 'utf8',
  })
  for (const file of files.split('\0').filter(Boolean)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    cpSync(join(source, file), join(folder, file))
  }
  // Until the packages are published, their tarballs replace them, in the example and in its dependencies.
  const path = join(folder, 'package.json')
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  const ours = Object.fromEntries(
    packages.map((name) => [`@scalekit-scim/${name}`, `file:${tarballs[name]}`]),
  )
  const asked = (dependencies: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(dependencies).map(([name, range]) => [name, ours[name] ?? range]))
  await writeFile(
    path,
    JSON.stringify({
      ...manifest,
      dependencies: asked(manifest.dependencies),
      devDependencies: asked(manifest.devDependencies),
      overrides: { '@scalekit-scim/core': `file:${tarballs.core}` },
    }),
  )
  await run(folder, npm, 'install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts')
  return folder
}

describe.each(examples)('examples/%s, copied out of the tree', (example) => {
  let copied: Promise<string> | undefined
  const copy = () => {
    copied ??= copyOut(example)
    return copied
  }

  test('the example depends only on published versions', () => {
    const manifest = readFileSync(join(root, 'examples', example, 'package.json'), 'utf8')
    const { dependencies, devDependencies } = JSON.parse(manifest)
    for (const range of Object.values({ ...dependencies, ...devDependencies })) expect(range).toMatch(/^\^\d/)
  })

  test('the example installs, and its own tests pass', { timeout: 300_000 }, async () => {
    const folder = await copy()
    const { scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    expect(scripts.test).toContain('node')
    mkdirSync(reports, { recursive: true })
    const reporters = [
      '--test-reporter=spec --test-reporter-destination=stdout',
      `--test-reporter=tap --test-reporter-destination=${JSON.stringify(join(reports, `${example}.tap`))}`,
    ]
    const said = await run(folder, npm, 'test', `--node-options=${reporters.join(' ')}`)
    expect(said).toMatch(/^. pass [1-9]\d*$/m)
    expect(said).toMatch(/^. fail 0$/m)
  })

  test('the types of the example are correct', { timeout: 300_000 }, async () => {
    const folder = await copy()
    expect(await node(folder, join('node_modules', 'typescript', 'bin', 'tsc'))).toBe('')
  })
})
