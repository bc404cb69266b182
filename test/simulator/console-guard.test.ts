import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSimulator } from '@scalekit-scim/simulator'
import express from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { refuseOtherPages } from '../../packages/simulator/src/console/guard.ts'

const ours = ['localhost', 'LocalHost:8080', '127.0.0.1', '192.168.7.7:8080', '[::1]:8080', '[FE80::1]']
/** The owner of a host name can change its address to this server while a page of that name is open. */
const others = ['evil.example', 'localhost.evil.example:8080', '127.0.0.1.example', 'x@localhost', ':8080']

it.each(['127.0.0.1', '0.0.0.0'])(
  'a console that listens on %s can be opened only by address or as localhost',
  async (host) => {
    await using simulator = await createSimulator({ host })
    const url = `${simulator.url}/console/api/state`
    expect(await statuses(url, ours)).toEqual(ours.map(() => 200))
    expect(await statuses(url, others)).toEqual(others.map(() => 403))
  },
)

it('a console that listens at a name can be opened by that name too', async () => {
  const application = express().use(refuseOtherPages('Box.example'), (_request, response) =>
    response.json({}),
  )
  const server = application.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  expect(await statuses(url, ['box.example:8080', 'BOX.example', ...ours])).not.toContain(403)
  expect(await statuses(url, ['box.example.evil.example', ...others])).not.toContain(200)
})

function statuses(url: string, hosts: readonly string[]): Promise<unknown[]> {
  return Promise.all(hosts.map((host) => statusByHost(url, host)))
}

/** This function uses node:http, because `fetch` always sends the host of the URL. */
function statusByHost(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}
