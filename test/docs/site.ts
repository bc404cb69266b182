import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import express from 'express'
import { root } from './markdown.ts'

/** Builds the site from the tree into a new folder, as `npm run docs:build` does. */
export async function buildSite(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'site-'))
  const manifest = createRequire(join(root, 'docs', 'package.json')).resolve('vitepress/package.json')
  const bin = join(dirname(manifest), 'bin', 'vitepress.js')
  const child = spawn(process.execPath, [bin, 'build', 'docs', '--outDir', folder], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
  })
  const output: string[] = []
  child.stdout.on('data', (chunk) => output.push(String(chunk)))
  child.stderr.on('data', (chunk) => output.push(String(chunk)))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`The site does not build:\n${output.join('')}`)
  return folder
}

/** Serves a built site as any host of static files does. */
export async function serveSite(folder: string): Promise<{ origin: string; server: Server }> {
  const server = express().use(express.static(folder)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
