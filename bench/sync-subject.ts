import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { DirectoryApi, DirectoryRef, SyncReport } from '@scalekit-scim/core/sync'
import type { SimulatorFaults } from '@scalekit-scim/simulator'

export const pageSize = 30

export interface SyncServer {
  variables: Record<string, string>
  directories: DirectoryRef[]
  setFaults(faults: SimulatorFaults): Promise<void>
  end(): void
}

/** Starts a simulator with directories of the given size. */
export async function startSyncServer(directoryCount: number, userCount: number): Promise<SyncServer> {
  const server = fork(new URL('sync-server.ts', import.meta.url), [directoryCount, userCount].map(String), {
    execArgv: ['--max-old-space-size=8192'],
  })
  const [message]: [Pick<SyncServer, 'variables' | 'directories'>] = (await once(server, 'message')) as never
  return {
    ...message,
    async setFaults(faults) {
      server.send(faults)
      await once(server, 'message')
    },
    end: () => server.disconnect(),
  }
}

/**
 * The usual loop: reads the pages in sequence, and uses each page before it requests the next page. Yields the number
 * of users on each page.
 */
export async function* bareLoop(api: DirectoryApi, directory: DirectoryRef): AsyncGenerator<number, void> {
  let pageToken = ''
  do {
    const answer = await api.directory.listDirectoryUsers(directory.organizationId, directory.id, {
      pageSize,
      includeDetail: true,
      ...(pageToken && { pageToken }),
    })
    yield answer.users.filter(({ id }) => id !== '').length
    pageToken = answer.nextPageToken
  } while (pageToken)
}

/**
 * Yields the application's rows for `count` users, from the number `from` on. The rows are newer than the directory's
 * records.
 */
export function* knownUsers(from: number, count: number) {
  for (let number = from; number < from + count; number++) {
    yield { id: `diruser_${number}`, occurredAt: '2100-01-01T00:00:00.000000000Z', groupIds: [] }
  }
}

export function requireComplete({ outcome, error, totals }: SyncReport, users: number): void {
  if (outcome === 'complete' && totals.users.seen === users && totals.users.held === 0) return
  throw new Error(`the pass was ${outcome} after ${totals.users.seen} of ${users} users: ${error?.name}`)
}
