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

// The README comes first: its quick starts are the ones that run.
const blocks = ['README.md', 'docs/guides/testing.md']
  .flatMap((path) => codeBlocks(readDocument(path)))
  .filter(({ language }) => language === 'ts')
/** Below test/, so that the blocks find express and fastify. */
const folder = mkdtempSync(join(root, 'test', 'docs', '.cache-'))
afterAll(() => rmSync(folder, { recursive: true }))

const quickStarts = [
  ['Express', 'express', 'app.listen('],
  ['Fastify', 'fastify', 'fastify.listen('],
] as const

for (const [framework, name, start] of quickStarts) {
  test(`the quick start for ${framework} runs as it stands, and its handlers get a signed delivery`, async () => {
    const server = await startBlock(name, blockWith(`@scalekit-scim/${name}'`, start))
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

test('the example of a test of handlers passes as it stands', async () => {
  const child = runBlock(join(folder, 'handlers.ts'), blockWith("from 'node:test'"))
  const output = collect(child)
  const [code] = await once(child, 'exit')
  expect(output()).toContain('a person who leaves is disabled')
  expect(code).toBe(0)
})

function blockWith(...parts: string[]): string {
  const found = blocks.filter(({ code }) => parts.every((part) => code.includes(part)))
  const [block] = found
  if (!block) throw new Error(`no block has ${parts.join(' and ')}`)
  return block.code
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
    if (child.exitCode !== null) throw new Error(`the quick start ended:\n${output()}`)
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
