import { Agent, request } from 'node:http'
import { path } from './baselines.ts'
import type { Delivery } from './deliveries.ts'

/**
 * Sends deliveries at a fixed rate, and returns the latency of each in milliseconds. A latency begins when
 * the delivery is due. So a pause of the server counts for each delivery that is due during the pause.
 */
export async function sendPaced(
  port: number,
  deliveries: readonly Delivery[],
  perSecond: number,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const latencies: Promise<number>[] = []
  const startedMs = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond)
      while (latencies.length < Math.min(due, deliveries.length)) {
        const dueMs = startedMs + (latencies.length / perSecond) * 1000
        latencies.push(send(agent, port, deliveries[latencies.length] as Delivery, dueMs))
      }
      if (latencies.length < deliveries.length) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  const all = await Promise.all(latencies)
  agent.destroy()
  return all
}

function send(agent: Agent, port: number, { headers, body }: Delivery, dueMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({
      agent,
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
    })
    sent.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200 || response.statusCode === 201) resolve(performance.now() - dueMs)
        else reject(new Error(`a delivery was answered ${response.statusCode}`))
      })
    })
    sent.end(body)
  })
}
