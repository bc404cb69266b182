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

/** A simulator with so many directories of so many users each. */
export async function startSyncServer(directoryCount: number, userCount: number): Promise<SyncServer> {
  const server = fork(new URL('sync-server.ts', import.meta.url), [directoryCount, userCount].map(String), {
    execArgv: ['--max-old-space-size=8192'],
  })
  const [told]: [Pick<SyncServer, 'variables' | 'directories'>] = (await once(server, 'message')) as never
  return {
    ...told,
    async setFaults(faults) {
      server.send(faults)
      await once(server, 'message')
    },
    end: () => server.disconnect(),
  }
}

/** What anybody would write: page after page, each looked at before the next is asked for. Gives the users of each. */
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

/** The application's rows: users by their numbers, newer than whatever the directory says of them. */
export function* knownUsers(from: number, count: number) {
  for (let number = from; number < from + count; number++) {
    yield { id: `diruser_${number}`, occurredAt: '2100-01-01T00:00:00.000000000Z', groupIds: [] }
  }
}

export function requireComplete({ outcome, error, totals }: SyncReport, users: number): void {
  if (outcome === 'complete' && totals.users.seen === users && totals.users.held === 0) return
  throw new Error(`the pass was ${outcome} after ${totals.users.seen} of ${users} users: ${error?.name}`)
}
