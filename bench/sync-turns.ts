import { setImmediate as settled } from 'node:timers/promises'
import type { DirectoryApi } from '@scalekit-scim/core/sync'
import { cpuMs } from './measure.ts'

export interface Taken {
  ms: number
  cpuMs: number
}

/**
 * Runs work on the Directory API in turns. After the given number of pages of users, the work waits for its next turn.
 */
export class Turns {
  readonly taken: Taken = { ms: 0, cpuMs: 0 }
  readonly #whole: Promise<void>
  #pagesLeft = 0
  #goOn = Promise.withResolvers<void>()
  #turnIsOver = Promise.withResolvers<void>()
  #done = false

  constructor(api: DirectoryApi, work: (api: DirectoryApi) => Promise<unknown>) {
    const { directory, organization } = api
    const listDirectoryUsers: DirectoryApi['directory']['listDirectoryUsers'] = async (...call) => {
      if (this.#pagesLeft === 0) {
        this.#turnIsOver.resolve()
        await this.#goOn.promise
      }
      this.#pagesLeft--
      return directory.listDirectoryUsers(...call)
    }
    const inTurns: DirectoryApi = {
      organization: { listOrganization: (call) => organization.listOrganization(call) },
      directory: {
        listDirectories: (id) => directory.listDirectories(id),
        listDirectoryGroups: (...call) => directory.listDirectoryGroups(...call),
        listDirectoryUsers,
      },
    }
    this.#whole = this.#goOn.promise
      .then(() => work(inTurns))
      .then(() => {
        this.#done = true
      })
  }

  get done(): boolean {
    return this.#done
  }

  /** Runs one turn. @throws any error of the work */
  async take(pages: number): Promise<void> {
    const from = performance.now()
    this.taken.cpuMs += await cpuMs(async () => {
      this.#pagesLeft = pages
      this.#turnIsOver = Promise.withResolvers()
      this.#goOn.resolve()
      this.#goOn = Promise.withResolvers()
      await Promise.race([this.#turnIsOver.promise, this.#whole])
      // The work requests a page before it uses the previous page. So wait until the work has used the previous page.
      await settled()
    })
    this.taken.ms += performance.now() - from
  }
}
