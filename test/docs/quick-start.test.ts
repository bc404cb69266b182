import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { codeBlocks, readDocument, root } from './markdown.ts'
import { collect, runBlock } from './run-block.ts'

const readme = blocksOf('README.md')
/** The folder is below test/, so that the blocks find express and fastify. */
const folder = mkdtempSync(join(root, 'test', 'docs', '.cache-'))
afterAll(() => rmSync(folder, { recursive: true }))

const quickStarts = [
  ['Express', 'express', 'app.listen('],
  ['Fastify', 'fastify', 'fastify.listen('],
] as const

for (const [framework, name, start] of quickStarts) {
  test(`the unchanged quick start for ${framework} runs, and its handlers get a signed delivery`, async () => {
    const server = await startBlock(name, blockWith(readme, `@scalekit-scim/${name}'`, start))
    const created = sampleEvent('organization.directory.user_created')
    const deactivated = sampleEvent('organization.directory.user_updated', {
      occurred_at: '2026-11-23T09:05:00Z',
      data: { active: false },
    })

    const reply = await fetch(server.url, signDelivery(created))
    expect(await reply.json()).toEqual({ message: 'Webhook processed successfully' })
    expect(reply.status).toBe(201)
    expect(server.output()).toContain(`upsert ${created.data.organization_id} ${created.data.id}`)

    expect((await fetch(server.url, signDelivery(deactivated))).status).toBe(201)
    expect(server.output()).toContain(`disable ${created.data.organization_id} ${created.data.id}`)

    const forged = { ...signDelivery(created), body: '{}' }
    expect((await fetch(server.url, forged)).status).toBe(400)
  })
}

test.each(quickStarts)('docs/quickstart.md has the same quick start for %s', (_framework, name, start) => {
  const parts = [`@scalekit-scim/${name}'`, start]
  expect(blockWith(blocksOf('docs/quickstart.md'), ...parts)).toBe(blockWith(readme, ...parts))
})

test('the unchanged example of a test of handlers passes', async () => {
  const example = blockWith(blocksOf('docs/guides/testing.md'), "from 'node:test'")
  const child = runBlock(join(folder, 'handlers.ts'), example)
  const output = collect(child)
  const [code] = await once(child, 'exit')
  expect(output()).toContain('a person who leaves is disabled')
  expect(code).toBe(0)
})

function blocksOf(path: string): string[] {
  return codeBlocks(readDocument(path))
    .filter(({ language }) => language === 'ts')
    .map(({ code }) => code)
}

function blockWith(blocks: string[], ...parts: string[]): string {
  const block = blocks.find((code) => parts.every((part) => code.includes(part)))
  if (block === undefined) throw new Error(`There is no block with ${parts.join(' and ')}.`)
  return block
}

async function startBlock(name: string, code: string) {
  const port = await freePort()
  const child = runBlock(join(folder, `${name}.ts`), code, {
    PORT: String(port),
    SCALEKIT_WEBHOOK_SECRET: TEST_SECRET,
  })
  onTestFinished(() => void child.kill())
  const output = collect(child)
  const origin = `http://127.0.0.1:${port}`
  while (!(await answers(origin))) {
    if (child.exitCode !== null) throw new Error(`The quick start ended:\n${output()}`)
    await sleep(25)
  }
  return { url: `${origin}/webhooks/scalekit`, output }
}

async function answers(origin: string): Promise<boolean> {
  return fetch(origin).then(
    () => true,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
