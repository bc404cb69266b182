import { type DriverOptions, inTime } from '../driver.ts'
import type { NodeRedisCluster } from './client.ts'

export interface FollowedCluster {
  /** The cluster client that commands go to now. */
  readonly current: NodeRedisCluster
  /** To be called when `cluster` did not answer, or not in time. */
  failed(cluster: NodeRedisCluster): void
  close(): void
}

/**
 * node-redis's cluster client reads the owners of the slots again only when a node answers MOVED. A dead or frozen node
 * never does. So after a failure this opens a copy of the client, which asks the root nodes, and commands go to the
 * copy. A copy ends with the next copy, or with the ledger. The given client stays as it is.
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
      // The copy waits for all masters, but a node may still name a dead one.
      await inTime(options, connecting)
      if (isClosed) end(fresh)
      else replaceBy(fresh)
    } catch {
      end(fresh)
      // A frozen node may answer later, and the copy would then open connections.
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
      // Nobody waits for it: if it fails, the next failure tries again.
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
