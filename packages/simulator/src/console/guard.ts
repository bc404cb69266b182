import type { NextFunction, Request, Response } from 'express'

/**
 * Keeps other pages out of a console that has no log-in: a page elsewhere may send requests to this machine, and a
 * name of its own may be made to point here. So the host must be the one that we listen on, and a change must come
 * from our own page or from no page at all.
 */
export function onlyOurPage(hosts: () => readonly string[]) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const host = request.headers.host ?? ''
    if (!hosts().includes(host)) return refuse(response, `this console is not served as ${host || 'nobody'}`)
    const { origin } = request.headers
    if (origin !== undefined && origin !== `http://${host}`) return refuse(response, 'another page asked')
    if (request.headers['sec-fetch-site'] === 'cross-site') return refuse(response, 'another page asked')
    next()
  }
}

function refuse(response: Response, reason: string): void {
  response.status(403).json({ error: reason })
}
