import type { KeyvLike } from '@scalekit-scim/core'
import type { SimulatedProcess } from '../process.ts'
import { isClaimed, isDone } from './compare-and-set-store.ts'
import { LosableMap } from './losable-map.ts'
import type { Server } from './server.ts'
import type { OnRecorded, OpenedStore, SimulatedStore } from './simulated-store.ts'

/** How a Keyv reports a failed call. 'silent': it emits an error, but only if the server is up. */
export type KeyvStyle = 'throws' | 'emits' | 'silent'

/** A Keyv with an adapter that core does not know. */
export class KeyvStore implements SimulatedStore {
  readonly #server: Server
  readonly #onRecorded: OnRecorded
  readonly #style: KeyvStyle
  readonly #values = new LosableMap<{ text: string; untilMs: number }>()

  constructor(server: Server, onRecorded: OnRecorded, style: KeyvStyle) {
    this.#server = server
    this.#onRecorded = onRecorded
    this.#style = style
  }

  openIn(process: SimulatedProcess): OpenedStore {
    return { store: this.#keyvIn(process), ownTimers: 0, close: () => {} }
  }

  loseSince(sinceMs: number): void {
    this.#values.loseSince(sinceMs)
  }

  claimed(): string[] {
    const nowMs = this.#server.now()
    return this.#values
      .entries()
      .filter(([name, { text, untilMs }]) => untilMs > nowMs && text.startsWith('{') && !name.includes(':s:'))
      .filter(([, { text }]) => isClaimed(text, nowMs))
      .map(([name]) => name)
  }

  #keyvIn(process: SimulatedProcess): KeyvLike {
    const listeners = new Set<(error: unknown) => void>()
    const call = <Answer>(label: string, failed: Answer, execute: () => Answer): Promise<Answer> => {
      const calling = this.#server.call(process, label, execute)
      if (this.#style === 'throws') return calling
      return calling.catch((error: { code: string }) => {
        const isHidden = this.#style === 'silent' && error.code === 'ECONNREFUSED'
        if (!isHidden) for (const listener of listeners) listener(error)
        return failed
      })
    }
    return {
      store: {},
      get: (name) => call(`get ${name}`, undefined, () => this.#live(name)?.text),
      set: (name, text, ttlMs = Number.POSITIVE_INFINITY) =>
        call(`set ${name}`, true, () => {
          this.#values.set(name, { text, untilMs: this.#server.now() + ttlMs }, this.#server.world.nowMs)
          const [, messageId] = name.split(':m:')
          if (messageId !== undefined && isDone(text)) this.#onRecorded(messageId)
          return true
        }),
      delete: (name) =>
        call(`delete ${name}`, true, () => {
          const wasThere = this.#live(name) !== undefined
          this.#values.set(name, undefined, this.#server.world.nowMs)
          return wasThere
        }),
      on: (_, listener) => listeners.add(listener),
      off: (_, listener) => listeners.delete(listener),
    }
  }

  #live(name: string): { text: string } | undefined {
    const value = this.#values.get(name)
    return value && value.untilMs > this.#server.now() ? value : undefined
  }
}
