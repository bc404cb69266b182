import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** The time limit for the start of the application, and for its stop. */
const patienceMs = 15_000

const example = fileURLToPath(new URL('../examples/express-sqlite/', import.meta.url))
/** The application as a process. */
export interface App {
  url: string
  secret: string
  databaseFile: string
  /** Returns the application's output on standard error. */
  complaints(): string
  /** Prints the application's output from the time of this call. */
  speakUp(): void
  stop(): Promise<void>
}

/** The reason why the application or the script ends early. */
export class Ending extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message = '') {
    super(message)
    this.exitCode = exitCode
  }
}

/** A module that ends the child when its standard input ends, which also happens if this process is killed. */
const stopWithParent = `data:text/javascript,${encodeURIComponent(
  "process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM')).resume().unref()",
)}`

/** Starts the application on a free port, and resolves when it answers. */
export async function startApp(
  databaseFile: string,
  port: number,
  ending: AbortController,
  variables: Readonly<Record<string, string>> = {},
): Promise<App> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', stopWithParent, 'src/server.ts'],
    {
      cwd: example,
      env: {
        ...process.env,
        ...variables,
        SCALEKIT_WEBHOOK_SECRET: secret,
        DATABASE_FILE: databaseFile,
        HOST: '127.0.0.1',
        PORT: String(await freePort(port)),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  process.once('exit', () => child.kill('SIGKILL'))

  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-20_000)
  })
  const exited = once(child, 'exit')
  child.once('close', (code, signal) => {
    ending.abort(new Ending(1, `${said}\nThe application has ended unexpectedly (${signal ?? code}).`))
  })

  const stop = async () => {
    child.removeAllListeners('close')
    const force = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await exited
    clearTimeout(force)
  }
  try {
    const url = await addressOf(child, ending.signal)
    const speakUp = () => {
      child.stdout.pipe(process.stdout)
      child.stderr.pipe(process.stderr)
    }
    return { url, secret, databaseFile, complaints: () => said, speakUp, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Waits until the application prints its address and answers there. */
async function addressOf(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  ending: AbortSignal,
): Promise<string> {
  const signal = AbortSignal.any([ending, AbortSignal.timeout(patienceMs)])
  let said = ''
  for (;;) {
    const [chunk] = await once(child.stdout, 'data', { signal })
    said += chunk
    const url = /http:\/\/[\w.:]+/.exec(said)?.[0]
    if (url === undefined || !said.includes('\n')) continue
    await fetch(url, { signal })
    return url
  }
}

export async function freePort(wanted: number): Promise<number> {
  const probe = createServer().listen(wanted, '127.0.0.1')
  try {
    await once(probe, 'listening')
    return wanted
  } catch {
    console.log(`Port ${wanted} is in use, so the application uses another port.`)
    return 0
  } finally {
    probe.close()
  }
}
