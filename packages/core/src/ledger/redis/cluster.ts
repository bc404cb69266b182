import { type DriverOptions, inTime } from '../driver.ts'
import type { NodeRedis } from './node-redis.ts'

/** A cluster of node-redis. */
export interface NodeRedisCluster extends NodeRedis {
  duplicate(): NodeRedisCluster
}

/** The cluster that commands go to now. */
export interface FollowedCluster {
  readonly current: NodeRedisCluster
  /** To be told of what `current` did not answer, or not in time. */
  failed(cluster: NodeRedisCluster): void
  close(): void
}

/**
 * A cluster client of node-redis reads who has which slot again only when a node answers MOVED, and one that has died
 * or says nothing never will. So when it fails a copy of it is opened, which asks the root nodes, and commands go to the
 * copy from then on; it ends with the next copy, or with the ledger. The client that we were given stays as it is.
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
      // It waits for its masters, and may have been told of one that is dead.
      await inTime(options, connecting)
      if (isClosed) end(fresh)
      else replaceBy(fresh)
    } catch {
      end(fresh)
      // What was asked of a frozen node may be answered yet, and would open connections then.
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
      // Nobody waits for it: should there be no copy, the next failure tries again.
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
    // A node of it was closed already.
  }
}
