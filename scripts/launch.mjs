// Runs `npm start`, `npm test` and `npm run docs` on any machine with Node 18 or newer and npm. Downloads Node and pnpm
// if a supported version is missing. Installs and builds after a change, and then runs the command. This file has no
// dependencies, and uses no syntax that an old Node cannot parse.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const windows = process.platform === 'win32'

const nodeWanted = 'node@24'
const pnpmWanted = 'pnpm@12.21.0'
const anyPnpm = `npx -y -p ${nodeWanted} -p ${pnpmWanted} -c`

const toolsFile = join(root, '.cache', 'launch', 'tools.json')
const buildStamp = join(root, '.cache', 'launch', 'built')
/** The stamp is in `node_modules`, so that it is deleted together with the installed packages. */
const installStamp = join(root, 'node_modules', '.cache', 'launch', 'installed')
const reportFolder = join(root, '.cache', 'report')
/** Node stores compiled modules here, because the tests start many processes that load the same modules. */
const compileCache = join(root, '.cache', 'compile')

/** An error that the user can fix: printed as a message without a stack. */
class Failure extends Error {}

/** The signal that stops this process, if one has arrived. */
let stoppedBy

const commands = { start, test, soak, simulate, bench, docs, tools }
const [name, ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : usage

try {
  process.exitCode = await command(args)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`\n${error.message}`)
  process.exitCode = 1
}

async function start(args) {
  const env = await prepare()
  return run('node', ['scripts/start.ts', ...args], { env })
}

async function test(args) {
  // First delete the reports of earlier runs, so that they are not counted.
  rmSync(reportFolder, { recursive: true, force: true })
  mkdirSync(reportFolder, { recursive: true })
  const env = withoutNames(await environment(), ['NODE_ENV'])
  await install(env)

  const quick = args[0] === 'quick'
  const words = quick ? args.slice(1) : args
  if (words.length > 0) say(`Only test/ with ${words.join(' ')}: no lint, no type check`)
  await allOf([build(env), ...(words.length > 0 ? [] : checks(env))])

  say('Testing…')
  const code = await vitest(words, quick ? { ...env, QUICK: '1' } : env)
  return stoppedBy ? exitCodeOf(stoppedBy) : code
}

/** Checks lint, types and prose. The checks do not need the build. */
function checks(env) {
  return [
    step('Linting', 'lint', env, '`npm run format` fixes most findings.'),
    step('Checking types', 'typecheck', env, '`npm run typecheck` repeats only this check.'),
    step('Checking the prose', 'prose', env, '`npm run prose` repeats only this check.'),
  ]
}

/** Waits for all commands, even if a command fails, and then throws the first failure. */
async function allOf(steps) {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === 'rejected')
  if (failed) throw failed.reason
}

/** Runs the tests at full size, and then long runs with many seeds. This takes hours. */
async function soak(args) {
  const env = withoutNames(await prepare(), ['NODE_ENV'])
  say('Testing at full size…')
  const failed = await vitest(['chaos', 'convergence', 'deletion-histories', 'linearizability'], {
    ...env,
    SOAK: '1',
  })
  if (stoppedBy) return exitCodeOf(stoppedBy)
  const lives = await run('node', ['--disable-warning=ExperimentalWarning', 'test/soak/soak.ts', ...args], {
    env,
  })
  return failed || lives
}

/** Runs random histories of webhooks, or of the sync, in virtual time. Runs the sources, so a build is not needed. */
async function simulate(args) {
  const env = withoutNames(await environment(), ['NODE_ENV'])
  await install(env)
  const sources = ['--import', './test/docs/source-imports.mjs']
  const folder = args.includes('--sync') ? 'test/simulation/sync' : 'test/simulation'
  return run(
    'node',
    ['--disable-warning=ExperimentalWarning', ...sources, `${folder}/simulate.ts`, ...args],
    { env },
  )
}

/** Runs the benchmarks. They measure imports, so modules must not come from the compile cache. */
async function bench(args) {
  const env = withoutNames(await prepare(), ['NODE_ENV', 'NODE_COMPILE_CACHE'])
  return run('node', ['--disable-warning=ExperimentalWarning', 'bench/main.ts', ...args], { env })
}

function vitest(args, env) {
  const require = createRequire(join(root, 'test', 'package.json'))
  const manifest = require.resolve('vitest/package.json')
  const bin = join(dirname(manifest), readJson(manifest).bin.vitest)
  const report = [
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${join(reportFolder, 'vitest.json')}`,
  ]
  return run('node', [bin, 'run', ...report, ...args], { env, cwd: join(root, 'test') })
}

/**
 * Serves the documentation's site and rebuilds changed pages, or builds the site. The site does not need built
 * packages.
 */
async function docs(args) {
  const [action, ...options] = args[0] === 'build' ? args : ['dev', ...args]
  if (options.includes('--help') || options[0]?.startsWith('-') === false) return usage()
  const env = await environment()
  await install(env)
  say(
    action === 'build' ? 'Building the site into docs/.vitepress/dist…' : 'Serving the site. Ctrl-C ends it.',
  )
  const bin = join('node_modules', 'vitepress', 'bin', 'vitepress.js')
  return run('node', [bin, action, ...options], { env, cwd: join(root, 'docs') })
}

/** Prints the folders of the tools. This command runs inside npx. */
async function tools() {
  const name = windows ? 'pnpm.cmd' : 'pnpm'
  const pnpmFolder = (process.env[pathName()] ?? '')
    .split(delimiter)
    .find((path) => existsSync(join(path, name)))
  const folders = [dirname(process.execPath), ...(pnpmFolder ? [pnpmFolder] : [])]
  console.log(JSON.stringify({ node: process.version, folders }))
  return 0
}

async function usage() {
  console.error('node scripts/launch.mjs start [arguments of scripts/start.ts]')
  console.error('node scripts/launch.mjs test [quick] [arguments of vitest, such as a filter]')
  console.error('node scripts/launch.mjs soak [lives] [changes] [first seed]')
  console.error('node scripts/launch.mjs simulate [--sync] [options, such as --seconds 600 --seed 1]')
  console.error('node scripts/launch.mjs bench [tables] [options, such as --rounds 9 --help]')
  console.error('node scripts/launch.mjs docs [build] [options of VitePress, such as --port 8080]')
  return 2
}

// ── Getting ready ──

/** Gets the tools, installs the packages and builds them. Returns the environment for the command. */
async function prepare() {
  const env = await environment()
  await install(env)
  await build(env)
  return env
}

/** Returns the environment of this process, with a supported Node and pnpm in PATH. */
async function environment() {
  // npx passes its options to this process in the environment. Without this deletion, the next npx uses them.
  const own = withoutNames(process.env, ['npm_config_package', 'npm_config_call', 'npm_config_yes'])
  const env = withFolders({ NODE_COMPILE_CACHE: compileCache, ...own }, [dirname(process.execPath)])
  const missing = []
  if (!isSupported(process.version)) missing.push(nodeWanted)
  if (missing.length > 0 || !(await hasPnpm(env))) missing.push(pnpmWanted)
  return missing.length === 0 ? env : withFolders(env, await fetchTools(missing, env))
}

/** Node runs TypeScript since 22.18. Most of our tools do not support Node 23. */
function isSupported(version) {
  const [major, minor] = version.slice(1).split('.').map(Number)
  return major > 23 || (major === 22 && minor >= 18)
}

async function hasPnpm(env) {
  // Corepack's shim is also named `pnpm`. These settings prevent a download or a prompt.
  const probe = { ...env, COREPACK_ENABLE_NETWORK: '0', COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' }
  const { code, stdout } = await capture('pnpm', ['--version'], { env: probe })
  return code === 0 && /^12\./.test(stdout.trim())
}

/** Returns the folders of the tools that npm downloads. npm keeps these folders, so the download runs once. */
async function fetchTools(packages, env) {
  const key = `${packages.join(' ')} ${process.platform} ${process.arch} ${process.version}`
  const known = existsSync(toolsFile) ? readJson(toolsFile) : {}
  if (known[key]?.every((path) => existsSync(path))) return known[key]

  const why = packages.includes(nodeWanted)
    ? ` (this is Node ${process.version}; 22.18 or newer is needed)`
    : ''
  say(`Getting ${packages.join(' and ')} from npm${why}…`)
  const wanted = packages.flatMap((name) => ['-p', name])
  const { code, stdout, output } = await capture(
    'npx',
    ['-y', ...wanted, '-c', 'node scripts/launch.mjs tools'],
    {
      env,
      quote: true,
    },
  )
  const found = code === 0 ? parseLastLine(stdout) : undefined
  if (!found || found.folders.length < 2 || !isSupported(found.node)) {
    throw new Failure(
      `${output}\nnpm could not get ${packages.join(' and ')}. Check that the registry is reachable. ` +
        'If Node 24 and pnpm 12 are installed, npm is not needed.',
    )
  }
  write(toolsFile, JSON.stringify({ ...known, [key]: found.folders }))
  return found.folders
}

async function install(env) {
  const manifests = ['package.json', ...workspaceFolders().map((folder) => join(folder, 'package.json'))]
  const hash = hashOf(['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests])
  const isThere = workspaceFolders().every((folder) => hasModules(folder))
  if (isThere && read(installStamp) === hash) return

  say('Installing…')
  rmSync(installStamp, { force: true })
  // With CI, pnpm does not prompt. With NODE_ENV=production, pnpm would not install the build tools.
  const { code, output } = await capture('pnpm', ['install', '--frozen-lockfile'], {
    env: { ...withoutNames(env, ['NODE_ENV']), CI: 'true' },
  })
  if (code !== 0) {
    const hint = output.includes('OUTDATED_LOCKFILE')
      ? `pnpm-lock.yaml does not match a package.json: \`${anyPnpm} 'pnpm install --no-frozen-lockfile'\` and commit it.`
      : `\`${anyPnpm} 'pnpm install'\` repeats only this step.`
    throw new Failure(`${output}\nInstalling failed. ${hint}`)
  }
  write(installStamp, hash)
}

async function build(env) {
  const sources = folders('packages').flatMap((name) => sourcesOf(join('packages', name)))
  const hash = hashOf(['tsconfig.base.json', 'pnpm-lock.yaml', 'scripts/bundler-copy.ts', ...sources])
  const isThere = folders('packages').every((name) => isBuilt(join(root, 'packages', name)))
  if (isThere && read(buildStamp) === hash) return

  say('Building…')
  rmSync(buildStamp, { force: true })
  const { code, output } = await capture('pnpm', ['build'], { env: withoutNames(env, ['NODE_ENV']) })
  if (code !== 0)
    throw new Failure(`${output}\nBuilding failed. \`${anyPnpm} 'pnpm build'\` repeats only this step.`)
  write(buildStamp, hash)
}

async function step(title, script, env, hint) {
  say(`${title}…`)
  const { code, output } = await capture('pnpm', ['run', script], { env })
  if (code !== 0) throw new Failure(`${output}\n${title} failed, so no test was run. ${hint}`)
}

// ── Files ──

function workspaceFolders() {
  const inside = (parent) => folders(parent).map((name) => join(parent, name))
  return [...inside('packages'), ...inside('examples'), 'test', 'bench', 'docs'].filter((folder) =>
    existsSync(join(root, folder, 'package.json')),
  )
}

function hasModules(folder) {
  const { dependencies = {}, devDependencies = {} } = readJson(join(root, folder, 'package.json'))
  const hasAny = Object.keys({ ...dependencies, ...devDependencies }).length > 0
  return !hasAny || existsSync(join(root, folder, 'node_modules'))
}

/** Returns whether each file in `dist` that the manifest names exists. */
function isBuilt(folder) {
  if (!existsSync(join(folder, 'package.json'))) return true
  const { main, types, exports, imports, bin } = readJson(join(folder, 'package.json'))
  const named = JSON.stringify([main, types, exports, imports, bin]).match(/\.\/dist\/[^"]+/g) ?? []
  return named.every((path) => existsSync(join(folder, path)))
}

/** Returns all files of a package, except those that the build creates. */
function sourcesOf(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !['node_modules', 'dist'].includes(entry.name) && !entry.name.endsWith('.md'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? sourcesOf(path) : [path]
    })
}

function folders(parent) {
  if (!existsSync(join(root, parent))) return []
  return readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function hashOf(paths) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const path of paths) {
    const bytes = existsSync(join(root, path)) ? readFileSync(join(root, path)) : Buffer.of()
    hash.update(`\n${path} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

// ── Running ──

/** Runs a command on this process's terminal, and returns the exit code. */
function run(file, args, { env, cwd = root }) {
  const child = spawn(file, windows ? args.map(quoted) : args, { cwd, env, stdio: 'inherit', shell: windows })
  // The terminal also sends Ctrl-C to the child. So this process does not forward the signal.
  const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
  return ended(file, child, (signal) => {
    if (signal !== 'SIGINT' || !onTerminal) child.kill(signal)
  })
}

/** Runs a command in the background, and returns its exit code and its output. */
async function capture(file, args, { env, quote = windows }) {
  const chunks = []
  const stdout = []
  const child = spawn(file, quote && windows ? args.map(quoted) : args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: windows,
    // The child gets its own process group, so that its children are stopped together with the child.
    detached: !windows,
  })
  child.stdout.on('data', (chunk) => {
    chunks.push(chunk)
    stdout.push(chunk)
  })
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  let asked = false
  const code = await ended(file, child, () => {
    stopGroup(child, asked ? 'SIGKILL' : 'SIGTERM')
    asked = true
  })
  if (stoppedBy) process.exit(exitCodeOf(stoppedBy))
  return { code, stdout: String(Buffer.concat(stdout)), output: String(Buffer.concat(chunks)) }
}

function stopGroup(child, signal) {
  try {
    if (windows) child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch {}
}

/** Waits for the end of a child, and returns its exit code. If a signal arrives before the end, calls `pass`. */
function ended(file, child, pass) {
  const stop = (signal) => {
    stoppedBy = signal
    pass(signal)
  }
  const listeners = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, () => stop(signal)])
  for (const [signal, listener] of listeners) process.on(signal, listener)
  const watch = watchParent(() => stop('SIGTERM'))
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (error.code !== 'ENOENT') console.error(`${file}: ${error.message}`)
      resolve(127)
    })
    child.on('close', (code, signal) => resolve(signal ? exitCodeOf(signal) : code))
  }).finally(() => {
    clearInterval(watch)
    for (const [signal, listener] of listeners) process.off(signal, listener)
  })
}

function exitCodeOf(signal) {
  return 128 + constants.signals[signal]
}

/**
 * Calls `orphaned` when the parent has exited. npm sends SIGTERM to the shell that runs this process. The shell exits
 * without forwarding the signal.
 */
function watchParent(orphaned) {
  if (windows || process.env.npm_lifecycle_event === undefined) return undefined
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    orphaned()
  }, 250)
  return watch
}

/** Quotes an argument for cmd.exe, which takes a single string. */
function quoted(argument) {
  return /^[\w@.:\\/=-]+$/.test(argument) ? argument : `"${argument.replaceAll('"', '""')}"`
}

function say(line) {
  console.error(`› ${line}`)
}

function parseLastLine(text) {
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '')
  } catch {
    return undefined
  }
}

function pathName(env = process.env) {
  return Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
}

function withFolders(env, folders) {
  const name = pathName(env)
  return { ...env, [name]: [...folders, env[name]].filter(Boolean).join(delimiter) }
}

function withoutNames(env, names) {
  const lower = names.map((name) => name.toLowerCase())
  return Object.fromEntries(Object.entries(env).filter(([name]) => !lower.includes(name.toLowerCase())))
}
