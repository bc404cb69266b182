import { isIP } from 'node:net'
import type { RequestHandler } from 'express'

/**
 * Refuses requests from other pages, because the console does not have a login. A page of another site can send
 * requests to this machine, and can make its own host name point to this machine. So the `Host` of a request must be an
 * IP address or a name of this simulator. If a request has an `Origin`, the origin must be the console.
 */
export function refuseOtherPages(listeningHost: string): RequestHandler {
  const names = new Set(['localhost', listeningHost.toLowerCase()])
  return ({ headers }, response, next) => {
    const refuse = (error: string) => void response.status(403).json({ error })
    const { host = '', origin = `http://${host}`, 'sec-fetch-site': site } = headers
    const name = host.toLowerCase().replace(/:\d+$/, '')
    if (!names.has(name) && !isIP(name.replace(/^\[(.*)\]$/, '$1'))) {
      return refuse('open the console at localhost, at an IP address, or at the name in the option host')
    }
    if (origin !== `http://${host}` || site === 'cross-site') {
      return refuse('the request comes from another page')
    }
    next()
  }
}
