import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { scalekitScim } from '@scalekit-scim/express'
import express from 'express'
import ts from 'typescript'
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { startCommand } from '../cli/command-line.ts'
import { serve, stopServing } from '../cli/own-endpoint.ts'
import { codeBlocks, codeIn, readDocument, root, sectionUnder, withoutCode } from './markdown.ts'
import { at, commandsIn, printedEndpoint, serveReceiver } from './readme-commands.ts'
import { collect, runBlock } from './run-block.ts'

const readme = readDocument('packages/simulator/README.md')
const blocks = codeBlocks(readDocument('docs/simulator/index.md'))

/** The folder is below test/, so that the block finds the packages. */
const folder = mkdtempSync(join(root, 'test', 'docs', '.cache-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(stopServing)

describe('the documentation of the simulator', () => {
  test('the documentation has a quick start: a change in the console arrives at an application that has the variables', async () => {
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

  test('the documentation has an example of a test that runs', async () => {
    const endpoint = await serveReceiver()
    const example = blocks.find(({ code }) => code.includes('deliveries.idle()'))?.code ?? ''
    expect(example).toContain(printedEndpoint)
    // Node 22 does not support `await using`.
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

async function saidBy(child: ReturnType<typeof startCommand>, wanted: RegExp): Promise<string> {
  const output = collect(child)
  await expect.poll(output, { timeout: 60_000 }).toMatch(wanted)
  return output()
}
