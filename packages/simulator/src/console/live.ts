import type { Request, Response } from 'express'

const heartbeatMs = 15_000
/** The time for which the console collects changes before it sends the changes together. */
const batchMs = 40

/** Notifies the open pages of changes (server-sent events). After a notice, a page requests the changed data. */
export class LivePages {
  readonly #pages = new Set<Response>()
  readonly #messageIds = new Set<string>()
  #directoryChanged = false
  #timer: NodeJS.Timeout | undefined
  readonly #heartbeat = setInterval(() => this.#write(': heartbeat\n\n'), heartbeatMs).unref()

  join(request: Request, response: Response): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write('retry: 1000\n\n')
    this.#pages.add(response)
    request.on('close', () => this.#pages.delete(response))
  }

  messageChanged(id: string): void {
    this.#messageIds.add(id)
    this.#schedule()
  }

  directoryChanged(): void {
    this.#directoryChanged = true
    this.#schedule()
  }

  close(): void {
    clearInterval(this.#heartbeat)
    clearTimeout(this.#timer)
    for (const page of this.#pages) page.end()
    this.#pages.clear()
  }

  #schedule(): void {
    if (this.#pages.size === 0) this.#messageIds.clear()
    else this.#timer ??= setTimeout(() => this.#send(), batchMs).unref()
  }

  #send(): void {
    this.#timer = undefined
    const changes = { messageIds: [...this.#messageIds], directory: this.#directoryChanged }
    this.#messageIds.clear()
    this.#directoryChanged = false
    this.#write(`data: ${JSON.stringify(changes)}\n\n`)
  }

  #write(text: string): void {
    for (const page of this.#pages) page.write(text)
  }
}
