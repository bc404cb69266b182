import { type DriverOptions, inTime } from '../driver.ts'
import type { NodeRedisCluster } from './client.ts'

export interface FollowedCluster {
  /** The cluster client that commands go to now. */
  readonly current: NodeRedisCluster
  /** Call this if `cluster` failed or did not answer in time. */
  failed(cluster: NodeRedisCluster): void
  close(): void
}

/**
 * node-redis's cluster client reads the owners of the slots again only when a node answers MOVED. A dead or frozen node
 * never answers MOVED. So after a failure, this function opens a copy of the client, which asks the root nodes.
 * Commands then go to the copy. A copy is closed when the next copy replaces it, or when the ledger closes. The given
 * client is not changed.
 */
export function followFailovers(given: NodeRedisCluster, options: DriverOptions): FollowedCluster {
  let current = given
  let isCopying = false
  let isClosed = false

  async function copy(): Promise<void> {
    const fresh = given.duplicate()
    fresh.on?.('error', () => {})
    const connecting = fresh.connect()
    try {
      // The wait has a limit: the copy waits for all masters, but a node may still list a dead master.
      await inTime(options, connecting)
      if (isClosed) end(fresh)
      else replaceBy(fresh)
    } catch {
      end(fresh)
      // If a frozen node answers later, the copy opens connections. So close the copy again.
      connecting.then(() => end(fresh)).catch(() => {})
    }
  }

  function replaceBy(fresh: NodeRedisCluster): void {
    const former = current
    current = fresh
    if (former !== given) end(former)
  }

  return {
    get current() {
      return current
    },
    failed(cluster) {
      if (cluster !== current || isCopying || isClosed) return
      isCopying = true
      // No caller waits for the copy. If it fails, the next failure tries again.
      copy()
        .catch(() => {})
        .finally(() => {
          isCopying = false
        })
    },
    close() {
      isClosed = true
      replaceBy(given)
    },
  }
}

function end(cluster: NodeRedisCluster): void {
  try {
    cluster.destroy()
  } catch {
    // One of its nodes was already closed.
  }
}
