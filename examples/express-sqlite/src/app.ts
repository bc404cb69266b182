import { type ScalekitScim, type ScalekitScimOptions, scalekitScim } from '@scalekit-scim/express'
import express, { type Express } from 'express'
import type { Accounts } from './accounts.ts'
import { directoryHandlers } from './directory-handlers.ts'
import type { Groups } from './groups.ts'
import { accountsPage, pageHeaders } from './page.ts'

export interface AppOptions extends Pick<ScalekitScimOptions, 'secret' | 'store' | 'logger' | 'onOutcome'> {
  accounts: Accounts
  groups: Groups
}

/** The number of accounts that the page shows. */
const shownAccounts = 200

export function createApp({ accounts, groups, ...receiving }: AppOptions): {
  app: Express
  scim: ScalekitScim
} {
  const scim = scalekitScim({
    ...directoryHandlers(accounts, groups),
    ...receiving,
  })

  const app = express()
  app.disable('x-powered-by')
  // The middleware comes before any body parser, because Scalekit signs the bytes and not the parsed body.
  app.use(scim)
  app.use(express.json())

  app.get('/', (request, response) => {
    const page = accountsPage({
      accounts: accounts.newest(shownAccounts),
      count: accounts.count(),
      isLive: request.query.live !== undefined,
    })
    response.set(pageHeaders).send(page)
  })
  return { app, scim }
}
