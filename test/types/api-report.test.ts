import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as core from '@scalekit-scim/core'
import { expect, test } from 'vitest'
import { entryPoints, reportFile, reportFolder, reportOf } from '../../scripts/api-report.ts'

const committed = (file: string) => readFileSync(join(reportFolder, file), 'utf8')

test.each(entryPoints)('the committed API report of $name matches the build', async (entryPoint) => {
  const file = reportFile(entryPoint)
  expect(
    await reportOf(entryPoint),
    `The public API has changed. If it should, run \`pnpm api\` and commit api/${file}.`,
  ).toBe(committed(file))
})

test('each entry point has a report, and no other report exists', () => {
  const exported = ['core', 'express', 'fastify', 'simulator'].flatMap((name) => {
    const manifest = readFileSync(new URL(`../../packages/${name}/package.json`, import.meta.url), 'utf8')
    const { exports } = JSON.parse(manifest)
    return Object.keys(exports)
      .filter((path) => path !== './package.json')
      .map((path) => reportFile({ name: path.replace('.', name).replace('/', '-') }))
  })
  expect(readdirSync(reportFolder).sort()).toEqual(exported.sort())
  expect(entryPoints.map(reportFile).sort()).toEqual(exported)
})

test('the main entry point of core exports 8 values and at most 50 types', () => {
  expect(Object.keys(core).sort()).toEqual([
    'ConfigurationError',
    'DropEvent',
    'StoreUnavailableError',
    'createDispatcher',
    'createReceiver',
    'isDirectoryEvent',
    'mapRoles',
    'postgresLedgerSchema',
  ])
  const types = exportedNames('core.api.md').filter((name) => !(name in core))
  expect(types.length).toBeGreaterThan(40)
  expect(types.length).toBeLessThanOrEqual(50)
})

test.each(['express.api.md', 'fastify.api.md'])('%s has all names of core', (file) => {
  expect(exportedNames(file)).toEqual(expect.arrayContaining(exportedNames('core.api.md')))
})

/** `export class Name …`, `export { Name }`, or `export { Name_2 as Name }` if a global has that name. */
function exportedNames(file: string): string[] {
  const lines = committed(file).matchAll(/^export (?:\{ (?:\w+ as )?|[a-z]+ )(\w+)/gm)
  return [...lines].map(([, name = '']) => name)
}
