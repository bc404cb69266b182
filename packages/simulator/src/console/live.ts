import type { Request, Response } from 'express'

const heartbeatMs = 15_000
/** The time for which the console collects changes before it sends the changes together. */
const batchMs = 40

/** Notifies the open pages of changes (server-sent events). After a notice, a page requests the changed data. */
export class LivePages {
  readonly #pages = new Set<Response>()
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  readonly #heartbeat = setInterval(() => this.#write(': heartbeat\n\n'), heartbeatMs).unref()

  join(request: Request, response: Response): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write('retry: 1000\n\n')
    this.#pages.add(response)
    request.on('close', () => this.#pages.delete(response))
  }

  /** @param topic The id of a message. For a change of a directory or an endpoint, `directory`. */
  changed(topic: string): void {
    this.#changed.add(topic)
    if (this.#pages.size === 0) this.#changed.clear()
    else this.#timer ??= setTimeout(() => this.#send(), batchMs).unref()
  }

  close(): void {
    clearInterval(this.#heartbeat)
    clearTimeout(this.#timer)
    for (const page of this.#pages) page.end()
    this.#pages.clear()
  }

  #send(): void {
    this.#timer = undefined
    this.#write(`data: ${JSON.stringify([...this.#changed])}\n\n`)
    this.#changed.clear()
  }

  #write(text: string): void {
    for (const page of this.#pages) page.write(text)
  }
}
