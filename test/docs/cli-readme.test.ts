import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { afterEach, expect, test } from 'vitest'
import { exitCodes } from '../../packages/cli/src/failures.ts'
import { createProgram } from '../../packages/cli/src/program.ts'
import { runCommand } from '../cli/command-line.ts'
import { stopServing } from '../cli/own-endpoint.ts'
import { codeIn, readDocument, sectionUnder, tablesUnder, tableUnder } from './markdown.ts'
import { at, commandsIn, serveReceiver } from './readme-commands.ts'

const readme = readDocument('docs/cli/index.md')
const { commands } = createProgram()
afterEach(stopServing)

test('the check of an endpoint runs, and the tables of the page of the command list the checks that it makes', async () => {
  const endpoint = await serveReceiver()
  const [doctor = []] = commandsIn(sectionUnder(readme, 'Quick start'))
  const env = { SCALEKIT_WEBHOOK_SECRET: TEST_SECRET }
  const ran = await runCommand([...at(doctor, endpoint), '--write', '--json'], { env })
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  const made = JSON.parse(ran.stdout).checks.map(({ check }: { check: string }) => check)
  const listed = tablesUnder(readme, 'doctor').flatMap((rows) =>
    rows.flatMap(([names = '']) => codeIn(names)),
  )
  expect(listed.sort()).toEqual(made.sort())
})

test('the table of the options of `simulate` names every option, with its default', () => {
  const options = commands.find((command) => command.name() === 'simulate')?.options ?? []
  const rows = tableUnder(readme, 'simulate')
  expect(rows.map(([name = '']) => codeIn(name)[0])).toEqual(options.map(({ flags }) => flags))
  for (const [index, { defaultValue, flags }] of options.entries()) {
    const isPlain = ['number', 'string'].includes(typeof defaultValue)
    expect([flags, isPlain]).toEqual([flags, /^\d/.test(rows[index]?.[1] ?? '')])
    if (isPlain) expect(rows[index]?.[1]).toBe(String(defaultValue))
  }
})

test('the section of each command names every option of the command, and no other', () => {
  const shared = sectionUnder(readme, 'All commands')
  for (const command of commands) {
    const section = sectionUnder(readme, command.name())
    const named = new Set(section.match(/--[a-z][a-z-]+/g))
    const options = command.options.map(({ long }) => String(long))
    expect(options.filter((option) => !named.has(option) && !shared.includes(`\`${option}\``))).toEqual([])
    expect([...named].filter((name) => !options.includes(name))).toEqual([])
  }
})

test('the table of exit codes has every code, and no other', () => {
  const codes = tableUnder(readme, 'Exit codes').map(([code]) => Number(code))
  expect(codes).toEqual(Object.values(exitCodes))
})

test('the table of commands names every command', () => {
  const named = tableUnder(readme, 'Commands').flatMap(([name = '']) => codeIn(name))
  expect(named.sort()).toEqual(commands.map((command) => command.name()).sort())
})
