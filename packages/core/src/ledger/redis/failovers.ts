import { StoreTimeoutError } from '../../errors.ts'
import { type DriverOptions, inTime } from '../driver.ts'

/** A cluster of node-redis. */
export interface Cluster {
  on?(event: 'node-error', listener: () => void): unknown
  sendCommand(...args: unknown[]): Promise<unknown>
}

interface Followed {
  /** What stands for the slot of each ledger: the part of its keys that is hashed. */
  hashTags: Set<string>
  ask(): void
}

/** Several ledgers may share a cluster, which is listened to once. */
const clusters = new WeakMap<Cluster, Followed>()

/**
 * A cluster client of node-redis reads who has which slot again only when a node answers MOVED, and one that has died
 * or says nothing never will: so another is asked for a key of ours, and sends it on to the new master. Gives what is to
 * hear of each command, and hands its answer on.
 */
export function followFailovers(
  cluster: Cluster,
  options: DriverOptions,
): <T>(key: string, sent: Promise<T>) => Promise<T> {
  const present = clusters.get(cluster)
  const { hashTags, ask } = present ?? followed(cluster, options)
  if (!present) {
    clusters.set(cluster, { hashTags, ask })
    cluster.on?.('node-error', ask)
  }
  return (key, sent) => {
    hashTags.add(key.slice(0, key.indexOf('}') + 1))
    // A node that is cut off or frozen is no error to its client for minutes.
    inTime(options, sent).catch((error) => {
      if (error instanceof StoreTimeoutError) ask()
    })
    return sent
  }
}

/** One question at a time, however many commands fail. */
function followed(cluster: Cluster, options: DriverOptions): Followed {
  const hashTags = new Set<string>()
  let isAsking = false
  const ask = () => {
    if (isAsking) return
    isAsking = true
    // Which node it is put to is the client's choice, and may be the dead one: then the next failure asks again.
    const asked = [...hashTags].map((tag) =>
      inTime(options, cluster.sendCommand(undefined, false, ['GET', `${tag}:`])),
    )
    void Promise.allSettled(asked).then(() => {
      isAsking = false
    })
  }
  return { hashTags, ask }
}
