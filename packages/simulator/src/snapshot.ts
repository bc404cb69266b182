import { readFile, rename, rm, writeFile } from 'node:fs/promises'

/** The file of a simulator cannot be read, or not written. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
}

const version = 1
const leastDelayMs = 200

/** Named parts of a simulator, kept in one JSON file; without a path nothing is kept. */
export class Snapshot {
  readonly #path: string | undefined
  readonly #saved: Readonly<Record<string, unknown>>
  readonly #parts = new Map<string, () => unknown>()
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()
  #delayMs = leastDelayMs

  private constructor(path: string | undefined, saved: Readonly<Record<string, unknown>>) {
    this.#path = path
    this.#saved = saved
  }

  /** @throws SnapshotError when there is a file that is none of ours */
  static async open(path: string | undefined): Promise<Snapshot> {
    return new Snapshot(path, path === undefined ? {} : await read(path))
  }

  /** What was saved under that name, when it is of that kind; nothing when nothing was. @throws SnapshotError */
  saved<Part>(name: string, isPart: (saved: unknown) => saved is Part): Part | undefined {
    const part = this.#saved[name]
    if (part === undefined) return undefined
    if (!isPart(part)) throw new SnapshotError(brokenText(this.#path, `'${name}' is not as it was written`))
    return part
  }

  /** Saves what `part` gives under that name, from the next change on. */
  keep(name: string, part: () => unknown): void {
    this.#parts.set(name, part)
  }

  /** Saves a moment later; many changes are saved once. */
  changed(): void {
    if (this.#path === undefined || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#save().catch((error: Error) => process.emitWarning(error))
    }, this.#delayMs)
    this.#timer.unref()
  }

  /** Saves once more. @throws SnapshotError when that fails */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#save()
  }

  #save(): Promise<void> {
    this.#saving = this.#saving
      // One that failed has been reported; this one tries again.
      .catch(() => {})
      .then(() => this.#write())
    return this.#saving
  }

  async #write(): Promise<void> {
    const startedAtMs = performance.now()
    const parts = Object.fromEntries([...this.#parts].map(([name, part]) => [name, part()]))
    if (this.#path !== undefined) await replace(this.#path, JSON.stringify({ version, ...parts }))
    // A large environment takes its time to write: it gets no more than a tenth of ours.
    this.#delayMs = Math.max(leastDelayMs, (performance.now() - startedAtMs) * 10)
  }
}

async function read(path: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {}
    throw new SnapshotError(`${path} cannot be read`, { cause })
  }
  const saved = parsed(path, text)
  if (typeof saved !== 'object' || saved === null || !('version' in saved)) {
    throw new SnapshotError(brokenText(path, 'it is not one of the simulator'))
  }
  if (saved.version !== version) {
    throw new SnapshotError(brokenText(path, `it is of version ${saved.version}, not ${version}`))
  }
  return { ...saved }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SnapshotError(brokenText(path, 'it is not JSON'), { cause })
  }
}

function brokenText(path: string | undefined, what: string): string {
  return `${path} cannot be taken up: ${what}. Delete or move the file to start with an empty environment.`
}

/** Readers, and a start after a crash, see the old file or the new one. It holds secrets: others may not read it. */
async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`
  try {
    await writeFile(draft, text, { mode: 0o600, flush: true })
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw new SnapshotError(`${path} cannot be written`, { cause })
  }
}
