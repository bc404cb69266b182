import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type App, Ending, startApp } from './app-process.ts'

const usage = `Usage: npm start -- [--once]

Starts examples/express-sqlite with a new database and a new signing secret. Also starts a local
Scalekit with its console, which sends its webhooks to the application. Ctrl-C stops both.

  --once    instead, send the application a working day of signed deliveries, and check each
            answer and the database in the evening. Exits with 0 if all is right, or else with 1
  --help    show this

  PORT      the port of the application; default: 3000, or another one if that is in use
`

process.exitCode = await main()

async function main(): Promise<number> {
  const args = readArguments()
  if (typeof args === 'number') return args

  const ending = new AbortController()
  process.on('SIGINT', () => {
    // A second Ctrl-C stops at once, without waiting for answers.
    if (ending.signal.aborted) process.exit(130)
    ending.abort(new Ending(130))
  })
  process.on('SIGTERM', () => ending.abort(new Ending(143)))
  process.on('SIGHUP', () => ending.abort(new Ending(129)))
  // Stops when the reader of the output closes the pipe, as in `npm start | head`.
  process.stdout.on('error', () => ending.abort(new Ending(1)))

  const folder = mkdtempSync(join(tmpdir(), 'scalekit-scim-day-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const start = (variables?: Readonly<Record<string, string>>) =>
    startApp(join(folder, 'accounts.db'), args.port, ending, variables)
  try {
    return args.once ? await sendDay(start, ending.signal) : await serve(start, ending.signal)
  } catch (error) {
    // An interruption can cause several errors. Only the first error is the reason.
    const cause: unknown = ending.signal.aborted ? ending.signal.reason : error
    if (!(cause instanceof Ending)) throw cause
    if (cause.message) console.error(cause.message)
    return cause.exitCode
  }
}

/** Returns the arguments, or the exit code if there is nothing to run. */
function readArguments(): { once: boolean; port: number } | number {
  try {
    const { values } = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean' } } })
    if (values.help) {
      console.log(usage)
      return 0
    }
    const { PORT = '' } = process.env
    if (!/^\d{0,5}$/.test(PORT) || Number(PORT) > 65_535) throw new Error('PORT must be a number up to 65535')
    return { once: values.once ?? false, port: Number(PORT || 3000) }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    return 2
  }
}

// Each of these two functions loads only the modules that it needs.

type Start = (variables?: Readonly<Record<string, string>>) => Promise<App>

async function sendDay(start: Start, signal: AbortSignal): Promise<number> {
  const { runDay } = await import('./scripted-day.ts')
  // Removes Scalekit's credentials from the environment, because the day must not use a real Scalekit.
  const app = await start({
    SCALEKIT_ENVIRONMENT_URL: '',
    SCALEKIT_CLIENT_ID: '',
    SCALEKIT_CLIENT_SECRET: '',
  })
  try {
    console.log(`The application is up at ${app.url}. It now gets the deliveries of a day:\n`)
    return (await runDay(app, signal)) ? 0 : 1
  } finally {
    await app.stop()
  }
}

async function serve(start: Start, signal: AbortSignal): Promise<number> {
  const { connect, introduce, startLocalScalekit, syncVariables } = await import('./local-scalekit.ts')
  const simulator = await startLocalScalekit()
  let app: App | undefined
  try {
    app = await start(syncVariables(simulator))
    await connect(simulator, app)
    app.speakUp()
    introduce(app, simulator)
    await untilInterrupted(signal)
    return 0
  } finally {
    await app?.stop()
    await simulator.close()
  }
}

async function untilInterrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  const { reason } = signal
  if (reason instanceof Ending && reason.message) throw reason
  console.log('\nStopping. Press Ctrl-C again to stop at once.')
}
