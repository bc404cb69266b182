import autocannon from 'autocannon'
import { percentile } from '../measure.ts'
import { path } from './baselines.ts'
import type { Delivery } from './deliveries.ts'

/** The load that a server has answered. */
export interface Load {
  requests: number
  tookMs: number
  p50Ms: number
  p99Ms: number
}

/**
 * Sends deliveries with autocannon, for a fixed time. For a request, autocannon needs more CPU time than most of the
 * servers. So the servers wait for it. With wrk, the servers are busy all the time.
 */
export function sendWithAutocannon(
  port: number,
  deliveries: readonly Delivery[],
  connections: number,
  seconds: number,
): Promise<Load> {
  const latencies: number[] = []
  const from = performance.now()
  let sent = 0
  let tookMs = 0
  return new Promise((resolve, reject) => {
    const load = autocannon(
      {
        url: `http://127.0.0.1:${port}${path}`,
        method: 'POST',
        connections,
        duration: seconds,
        timeout: 20,
        requests: [{ setupRequest: (request) => ({ ...request, ...deliveries[sent++] }) }],
      },
      (error, { errors, non2xx, '2xx': requests }) => {
        if (error) reject(error)
        else if (errors + non2xx > 0) reject(new Error(`${errors + non2xx} of ${requests} requests failed`))
        else resolve({ requests, tookMs, p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) })
      },
    )
    load.on('response', (_client, _status, _bytes, responseMs) => {
      latencies.push(responseMs)
      tookMs = performance.now() - from
    })
  })
}
