import { isIP } from 'node:net'
import type { NextFunction, Request, Response } from 'express'

/**
 * Keeps other pages out of a console that has no log-in: a page elsewhere may send requests to this machine, and a
 * name of its own may be made to point here. So we must be asked for by a name that nobody else can have, and a change
 * must come from our own page or from no page at all.
 */
export function onlyOurPage(listeningHost: string) {
  const names = new Set(['localhost', listeningHost.toLowerCase()])
  const isOurs = (host: string) => {
    const name = host.toLowerCase().replace(/:\d+$/, '')
    return names.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0
  }
  return (request: Request, response: Response, next: NextFunction): void => {
    const refusal = refusalOf(request, isOurs)
    if (refusal === undefined) next()
    else response.status(403).json({ error: refusal })
  }
}

function refusalOf({ headers }: Request, isOurs: (host: string) => boolean): string | undefined {
  const { host = '', origin } = headers
  if (!isOurs(host)) return 'the console is at localhost, at an address, or at the name given as host'
  if (origin !== undefined && origin !== `http://${host}`) return 'another page asked'
  return headers['sec-fetch-site'] === 'cross-site' ? 'another page asked' : undefined
}
