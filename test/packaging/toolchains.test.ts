import { join } from 'node:path'
import { afterAll, beforeEach, describe, test } from 'vitest'
import { makeProject, makeWorkshop, node, type PackageName, pack } from './workshop.ts'

// Jest, on what is packed.

const workshop = makeWorkshop()
/** Everything; core alone, without the SDK. */
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

// Once, but asked for by each test: where it fails, as without a registry, every test fails and none is skipped.
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

  test('scalekitFromEnv gives a client that a sync reads through', async () => {
    await jest(full, 'jest.cjs')
  })

  test('scalekitFromEnv names the SDK where it is missing', async () => {
    await jest(alone, 'jest-without-sdk.cjs')
  })
})
