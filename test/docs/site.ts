import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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
  const said: string[] = []
  child.stdout.on('data', (chunk) => said.push(String(chunk)))
  child.stderr.on('data', (chunk) => said.push(String(chunk)))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the site does not build:\n${said.join('')}`)
  return folder
}
