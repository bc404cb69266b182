import KeyvMysql from '@keyv/mysql'
import { createDispatcher } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import { sampleEvent } from '@scalekit-scim/core/testing'
import Keyv from 'keyv'
import { expect, onTestFinished, test } from 'vitest'
import { cutProxy } from '../support/cut-proxy.ts'
import { type MariadbServer, mariadbServer } from '../support/mariadb-server.ts'

const servers = [await mariadbServer(), await mariadbServer()]
const [former, next] = servers
if (!(former && next)) console.warn('SKIPPED: no mariadbd on the PATH')

test.skipIf(!(former && next))(
  'when an address moves away from a frozen server, connections that are silent for 30 s are replaced',
  async () => {
    if (!(former && next)) return
    for (const server of [former, next]) onTestFinished(() => server.remove())
    await Promise.all([former.start(), next.start()])
    const address = await cutProxy(portOf(former))
    const uri = former.uri.replace(String(portOf(former)), String(address.port))
    const adapter = new KeyvMysql({ uri, connectionLimit: 3 })
    let aheadMs = 0
    const dispatcher = createDispatcher({
      store: new Keyv({ store: adapter }),
      namespace: 'failover',
      logger: false,
      storeTimeoutSeconds: 1,
      clock: { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs },
      onUserUpserted: () => {},
    })
    onTestFinished(() => dispatcher.close({ graceSeconds: 0 }))
    const outcome = async () => {
      const event = sampleEvent('organization.directory.user_created')
      return (await dispatcher.dispatch({ ...event, data: { ...event.data, id: crypto.randomUUID() } }))
        .outcome
    }
    /** `count` is over the number of connections of the pool, or over the limit of waiting statements. */
    const outcomes = async (count: number) =>
      new Set(await Promise.all(Array.from({ length: count }, outcome)))
    await expect.poll(() => outcomes(9), { timeout: 20_000 }).toEqual(new Set(['processed']))

    former.freeze()
    address.leadTo(portOf(next))
    expect(await outcomes(1500)).toEqual(new Set(['store-unavailable']))
    aheadMs = 20_000
    expect(await outcome(), 'the server may only be slow').toBe('store-unavailable')
    aheadMs = 30_000
    await expect.poll(outcome, { timeout: 20_000 }).toBe('processed')
  },
)

function portOf({ uri }: MariadbServer): number {
  return Number(new URL(uri).port)
}
