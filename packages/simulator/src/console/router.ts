import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import express from 'express'
import type { Simulator } from '../simulator.ts'
import { consoleApi } from './api.ts'
import { refuseOtherPages } from './guard.ts'
import { LivePages } from './live.ts'

/** The folder of this file, as an ES module and in the CommonJS build. */
const here = typeof __dirname === 'undefined' ? import.meta.dirname : __dirname
/** The folder of the page, which is next to this file in the sources, and next to the bundle in the build. */
const pageFolder = join(here, 'page')
/** lit-html's build for browsers is in the root folder of its package, above the build for Node. */
const litHtmlFolder = join(dirname(createRequire(join(here, 'router.js')).resolve('lit-html')), '..')

/**
 * The page shows names and addresses that come from other systems. If a name contains unescaped markup, the headers
 * prevent the browser from loading or running the markup.
 */
const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-cache',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Serves the page at `/`, and its files and requests under `/console`. */
export function createConsole(simulator: Simulator, listeningHost: string) {
  const pages = new LivePages()
  const guard = refuseOtherPages(listeningHost)
  const stopListening = [
    simulator.environment.onChange(() => pages.changed('directory')),
    simulator.deliveries.onEndpointsChange(() => pages.changed('directory')),
    simulator.deliveries.onChange(({ id }) => pages.changed(id)),
  ]
  const router = express.Router()
  router.use(['/console', '/'], (request, response, next) => {
    if (request.path !== '/' && !request.originalUrl.startsWith('/console')) return next('router')
    response.set(securityHeaders)
    guard(request, response, next)
  })
  router.get('/', (_request, response) => response.sendFile('index.html', { root: pageFolder }))
  router.get('/console/api/live', (request, response) => pages.join(request, response))
  router.use('/console/api', consoleApi(simulator))
  router.use('/console/lit-html', express.static(litHtmlFolder))
  router.use('/console', express.static(pageFolder))
  return {
    router,
    /** Ends the connections of the open pages. */
    close() {
      for (const stop of stopListening) stop()
      pages.close()
    },
  }
}
