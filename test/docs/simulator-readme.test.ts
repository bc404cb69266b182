import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createReceiver } from '@scalekit-scim/core'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim } from '@scalekit-scim/express'
import express from 'express'
import ts from 'typescript'
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { exitCodes } from '../../packages/simulator/src/cli/failures.ts'
import { createProgram } from '../../packages/simulator/src/cli/program.ts'
import { runCommand, startCommand } from '../simulator/command-line.ts'
import { serve, stopServing } from '../simulator/own-endpoint.ts'
import {
  codeBlocks,
  codeIn,
  readDocument,
  root,
  sectionUnder,
  tablesUnder,
  tableUnder,
  withoutCode,
} from './markdown.ts'
import { collect, runBlock } from './run-block.ts'
import { ownMembers } from './type-check.ts'

const readme = readDocument('packages/simulator/README.md')
const blocks = codeBlocks(readme)
const printedEndpoint = 'http://127.0.0.1:3000/webhooks/scalekit'

/** Below test/, so that the block finds the packages. */
const folder = mkdtempSync(join(root, 'test', 'docs', '.cache-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(stopServing)

describe('what the README of the simulator prints runs', () => {
  test('its quick start: a change in the console arrives at an application that has the variables', async () => {
    let heard = ''
    const application = express()
    const endpoint = await serve(application, '/webhooks/scalekit')
    const [simulate = []] = commandsIn(sectionUnder(readme, 'Quick start'))
    const child = startCommand([...at(simulate, endpoint), '--port', '0'])
    onTestFinished(() => void child.kill())
    const printed = await saidBy(child, /SCALEKIT_WEBHOOK_SECRET=.*\n/)

    const variables = Object.fromEntries(
      [...printed.matchAll(/^ {2}(SCALEKIT_\w+)=(.+)$/gm)].map(([, name = '', value = '']) => [name, value]),
    )
    const promised = codeIn(withoutCode(sectionUnder(readme, 'Quick start'))).filter((name) =>
      name.startsWith('SCALEKIT_'),
    )
    expect(Object.keys(variables).sort()).toEqual([...new Set(promised)].sort())
    application.use(
      scalekitScim({
        secret: variables.SCALEKIT_WEBHOOK_SECRET ?? '',
        logger: false,
        onDirectoryDisabled: () => {
          heard = 'disabled'
        },
      }),
    )
    const [, url = '', directoryId = ''] = /SCIM +(http.*)\/scim\/v2\/(dir_\d+)/.exec(printed) ?? []
    await fetch(`${url}/console/api/directories/${directoryId}/disable`, { method: 'POST' })
    await expect.poll(() => heard).toBe('disabled')
  })

  test('its check of an endpoint, and the checks that it lists are those that are made', async () => {
    const endpoint = await serveReceiver()
    const [, doctor = []] = commandsIn(sectionUnder(readme, 'Quick start'))
    const env = { SCALEKIT_WEBHOOK_SECRET: TEST_SECRET }
    const ran = await runCommand([...at(doctor, endpoint), '--write', '--json'], { env })
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    const made = JSON.parse(ran.stdout).checks.map(({ check }: { check: string }) => check)
    const listed = tablesUnder(readme, 'doctor').flatMap((rows) =>
      rows.flatMap(([names = '']) => codeIn(names)),
    )
    expect(listed.sort()).toEqual(made.sort())
  })

  test('its example of a test', async () => {
    const endpoint = await serveReceiver()
    const example = blocks.find(({ code }) => code.includes('deliveries.idle()'))?.code ?? ''
    expect(example).toContain(printedEndpoint)
    // Node 22 does not know `await using`.
    const { outputText } = ts.transpileModule(example.replace(printedEndpoint, endpoint), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    })
    const child = runBlock(join(folder, 'example.mjs'), outputText)
    const output = collect(child)
    const [code] = await once(child, 'exit')
    expect(output().trim().split('\n')).toEqual([
      'organization.directory_enabled delivered',
      'organization.directory.user_created delivered',
      'organization.directory.user_updated delivered',
    ])
    expect(code).toBe(0)
  })
})

const { commands } = createProgram(() => {})

test('its table of the options of `simulate` names every option, with its default', () => {
  const options = commands.find((command) => command.name() === 'simulate')?.options ?? []
  const rows = tableUnder(readme, 'simulate')
  expect(rows.map(([name = '']) => codeIn(name)[0])).toEqual(options.map(({ flags }) => flags))
  for (const [index, { defaultValue, flags }] of options.entries()) {
    const isPlain = ['number', 'string'].includes(typeof defaultValue)
    expect([flags, isPlain]).toEqual([flags, /^\d/.test(rows[index]?.[1] ?? '')])
    if (isPlain) expect(rows[index]?.[1]).toBe(String(defaultValue))
  }
})

test('it names every option of the other commands where it speaks of them, and none that there is not', () => {
  const shared = sectionUnder(readme, 'The command line').split('\n### ')[0] ?? ''
  for (const command of commands) {
    const section = sectionUnder(readme, command.name())
    const named = new Set(section.match(/--[a-z][a-z-]+/g))
    const options = command.options.map(({ long }) => String(long))
    expect(options.filter((option) => !named.has(option) && !shared.includes(`\`${option}\``))).toEqual([])
    expect([...named].filter((name) => !options.includes(name))).toEqual([])
  }
})

test('its table of exit codes has every code, and no other', () => {
  const codes = tableUnder(readme, 'The command line').map(([code]) => Number(code))
  expect(codes).toEqual(Object.values(exitCodes))
})

test('it names every fault of deliveries', () => {
  const [, named = ''] = /^Deliveries: (.*?)\./m.exec(sectionUnder(readme, 'Faults')) ?? []
  expect(codeIn(named)).toEqual(ownMembers('packages/simulator/src/delivery/faults.ts', 'WebhookFaults'))
})

async function serveReceiver(): Promise<string> {
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    onUserUpserted: () => {},
    onUserDeleted: () => {},
  })
  return serve(express().use(scalekitScim({ receiver })), '/webhooks/scalekit')
}

/** What follows `npx -p @scalekit-scim/simulator scalekit-scim` on each line. */
function commandsIn(section: string): string[][] {
  return [...section.matchAll(/^npx -p @scalekit-scim\/simulator scalekit-scim (.+)$/gm)].map(
    ([, words = '']) => words.split(' '),
  )
}

/** No port of a test's is ever given. */
function at(words: readonly string[], endpoint: string): string[] {
  expect(words).toContain(printedEndpoint)
  return words.map((word) => (word === printedEndpoint ? endpoint : word))
}

async function saidBy(child: ReturnType<typeof startCommand>, wanted: RegExp): Promise<string> {
  const output = collect(child)
  await expect.poll(output, { timeout: 60_000 }).toMatch(wanted)
  return output()
}
