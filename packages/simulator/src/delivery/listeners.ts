import type { Message } from './messages.ts'

export type MessageListener = (message: Message) => void

/** Who is told of changes: when the change is complete, so that what they throw is theirs. */
export class Listeners {
  readonly #listeners = new Set<MessageListener>()

  add(listener: MessageListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(message: Message): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener(message))
  }
}
