import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const consumers = fileURLToPath(new URL('consumers/', import.meta.url))

const signingKey = Buffer.from('a key of thirty-two random bytes')

/** The Node of this process comes first in PATH. The variables that npm or vitest set are omitted. */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(NODE_ENV|NODE_OPTIONS|NODE_PATH|VITEST.*|npm_(package|lifecycle|command|execpath).*)$/i.test(
          name,
        ),
    ),
  ),
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  SCALEKIT_WEBHOOK_SECRET: `whsec_${signingKey.toString('base64')}`,
}

/** Runs a command. If its exit code is not 0, rejects with its output. */
export function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env, maxBuffer: 16_777_216 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout)
      else reject(new Error(`${command} ${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`))
    })
  })
}

export const node = (cwd: string, ...args: string[]) => run(cwd, process.execPath, ...args)

/** A folder outside the repository, so that imports do not find the workspace in a parent folder. */
export function makeWorkshop(): { folder: string; clear(): void } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'scalekit-scim-packaging-')))
  return { folder, clear: () => rmSync(folder, { recursive: true, force: true }) }
}

export type PackageName = 'core' | 'express' | 'fastify' | 'simulator' | 'cli'

/** Returns the tarball of the package, as it is published. */
export async function pack(name: PackageName, folder: string): Promise<string> {
  await run(join(root, 'packages', name), 'pnpm', 'pack', '--pack-destination', folder)
  const file = (await readdir(folder)).find((file) => file.startsWith(`scalekit-scim-${name}-`))
  if (file === undefined) throw new Error(`pnpm pack has left no tarball of ${name} in ${folder}`)
  return join(folder, file)
}

/**
 * Creates a project with the consumers, installed from the tarballs and the registry. The project has flat folders, as
 * with npm. pnpm installs it in an eighth of npm's time. The tests of the examples and of the README use npm.
 */
export async function makeProject(folder: string, dependencies: Record<string, string>): Promise<string> {
  await mkdir(folder)
  for (const file of await readdir(consumers)) {
    // Files with CommonJS-only syntax have another name here, so that the project's own compiler skips them.
    await cp(join(consumers, file), join(folder, file.replace('.cts.txt', '.cts')))
  }
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  // Without the override, pnpm looks for the core of the other packages in the registry.
  const core = '@scalekit-scim/core'
  const settings = {
    nodeLinker: 'hoisted',
    autoInstallPeers: false,
    overrides: { [core]: dependencies[core] },
  }
  await writeFile(join(folder, 'pnpm-workspace.yaml'), JSON.stringify(settings))
  await run(folder, 'pnpm', 'install', '--prefer-offline', '--ignore-scripts')
  return folder
}

/** The result of `deliverTo` for a processed delivery. */
export const processed = {
  status: 201,
  body: { message: 'Webhook processed successfully' },
  said: 'diruser_1',
}

/** Starts a consumer's server, sends it one signed delivery, and returns the result. */
export async function deliverTo(
  project: string,
  file: string,
): Promise<{ status: number; body: unknown; said: string }> {
  return withConsumer(project, file, async (url, lines) => {
    const response = await fetch(url, signedByHand())
    return { status: response.status, body: await response.json(), said: await lines.next('upserted ') }
  })
}

/** Starts a consumer's server, and stops it when the work with the address of its endpoint is done. */
export async function withConsumer<Result>(
  project: string,
  file: string,
  work: (url: string, lines: ReturnType<typeof listen>) => Promise<Result>,
): Promise<Result> {
  const child = spawn(process.execPath, [file], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const lines = listen(child, file)
    const port = await lines.next('listening ')
    return await work(`http://127.0.0.1:${port}/webhooks/scalekit`, lines)
  } finally {
    child.kill()
  }
}

function listen(child: ChildProcess, file: string) {
  const said: string[] = []
  const waiting = new Set<() => void>()
  const hear = (line: string) => {
    said.push(line)
    for (const wake of waiting) wake()
  }
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on('line', hear)
  let ended = false
  child.on('close', () => {
    ended = true
    hear('(ended)')
  })

  return {
    /** Returns the rest of the first line with this beginning. */
    next: (beginning: string) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const line = said.find((line) => line.startsWith(beginning))
          if (line === undefined && !ended) return
          waiting.delete(look)
          if (line !== undefined) resolve(line.slice(beginning.length))
          else reject(new Error(`${file} never said '${beginning}':\n${said.join('\n')}`))
        }
        waiting.add(look)
        look()
      }),
  }
}

function signedByHand(): { method: string; headers: Record<string, string>; body: string } {
  const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'
  const timestamp = String(Math.floor(Date.now() / 1000))
  const body = JSON.stringify({
    id: 'evt_1',
    type: 'organization.directory.user_created',
    occurred_at: '2026-11-23T09:00:00.153954Z',
    organization_id: 'org_1',
    data: { id: 'diruser_1', organization_id: 'org_1', email: 'amelia.hart@example.com', active: true },
  })
  const signature = createHmac('sha256', signingKey).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body,
  }
}
