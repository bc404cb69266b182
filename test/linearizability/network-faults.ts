import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../chaos/random.ts'
import { type LossyProxy, lossyProxy } from '../support/lossy-proxy.ts'
import type { LedgerProcess } from './ledger-processes.ts'

/** Every request of a ledger holds this text: a script's key, a function's name, or a table's name. */
const inEachRequest = 'scim'
/** Longer than the longest lease. */
const stalledMs = 1500

/** A proxy of its own for each process, so that a fault disturbs only one of them. */
export function proxiesTo(url: string, count: number): Promise<LossyProxy[]> {
  const { port } = new URL(url)
  return Promise.all(Array.from({ length: count }, () => lossyProxy(Number(port))))
}

export function through({ port }: LossyProxy, url: string): string {
  const address = new URL(url)
  address.host = `127.0.0.1:${port}`
  return address.href
}

/** Loses requests, answers and connections, and stops processes, until the signal. */
export async function disturb(
  proxies: readonly LossyProxy[],
  processes: readonly LedgerProcess[],
  random: Random,
  until: AbortSignal,
): Promise<void> {
  const repeatedly = async (minMs: number, maxMs: number, fault: () => Promise<void>) => {
    while (!until.aborted) {
      await sleep(minMs + random.below(maxMs - minMs), undefined, { signal: until }).catch(() => {})
      if (!until.aborted) await fault()
    }
  }
  // A client needs time to connect again. If it fails several times, Redis's client waits for up to 2 s.
  const cuts = proxies.map((proxy) => repeatedly(600, 1800, () => cut(proxy, random)))
  const stalls = repeatedly(2000, 4000, async () => {
    await processes[random.below(processes.length)]?.stall(stalledMs)
  })
  await Promise.all([...cuts, stalls])
}

async function cut(proxy: LossyProxy, random: Random): Promise<void> {
  const kind = random.next()
  if (kind < 0.5) proxy.loseNextAnswer(inEachRequest)
  else if (kind < 0.9) proxy.loseNextRequest(inEachRequest)
  else {
    await proxy.pause()
    await sleep(20 + random.below(80))
    await proxy.resume()
  }
}
