import { isIP } from 'node:net'
import type { NextFunction, Request, Response } from 'express'

/**
 * Refuses requests from other pages, because the console does not have a login. A page of another site can send
 * requests to this machine, and can make its own host name point to this machine. So the `Host` of a request must be an
 * IP address or a name of this simulator. If a request has an `Origin`, the origin must be the console.
 */
export function refuseOtherPages(listeningHost: string) {
  const names = new Set(['localhost', listeningHost.toLowerCase()])
  const isOwnHost = (host: string) => {
    const name = host.toLowerCase().replace(/:\d+$/, '')
    return names.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0
  }
  return (request: Request, response: Response, next: NextFunction): void => {
    const refusal = refusalOf(request, isOwnHost)
    if (refusal === undefined) next()
    else response.status(403).json({ error: refusal })
  }
}

function refusalOf({ headers }: Request, isOwnHost: (host: string) => boolean): string | undefined {
  const { host = '', origin } = headers
  if (!isOwnHost(host))
    return 'open the console at localhost, at an IP address, or at the name in the option host'
  if (origin !== undefined && origin !== `http://${host}`) return 'the request comes from another page'
  return headers['sec-fetch-site'] === 'cross-site' ? 'the request comes from another page' : undefined
}
