import { createHash } from 'node:crypto'
import type { Account, AccountState } from './accounts.ts'
import { type Html, html } from './html.ts'
import { style } from './style.ts'

export interface AccountsPage {
  accounts: readonly Account[]
  /** The number of all accounts, including accounts that the page does not show. */
  count: number
  /**
   * Whether the page reloads itself. By default, the page does not reload itself, because a changing page is hard to
   * read.
   */
  isLive: boolean
}

const liveSeconds = 3

/**
 * The page shows names from customers' directories. With these headers, even an unescaped name cannot run code or load
 * a file.
 */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style.text).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export function accountsPage({ accounts, count, isLive }: AccountsPage): string {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  ${isLive ? html`<meta http-equiv="refresh" content="${liveSeconds}">` : ''}
  <title>Accounts</title>
  <style>${style}</style>
</head>
<body>
  <main>
    <header>
      <h1>Accounts</h1>
      <p>${summary(accounts.length, count)} ${liveLink(isLive)}</p>
    </header>
    ${count === 0 ? emptyNote : accountsTable(accounts)}
  </main>
</body>
</html>
`.text
}

const emptyNote = html`<p class="empty">Nobody yet. Assign somebody to your application in a directory that is connected to
  Scalekit, and they appear here.</p>`

function summary(shown: number, count: number): string {
  if (shown < count) return `The ${shown} of ${count} accounts that changed last.`
  return count === 1 ? '1 account.' : `${count} accounts.`
}

function liveLink(isLive: boolean): Html {
  return isLive
    ? html`Reloads every ${liveSeconds} seconds. <a href="/">Stop</a>`
    : html`<a href="/?live">Follow live</a>`
}

function accountsTable(accounts: readonly Account[]): Html {
  return html`<div class="table" role="region" aria-label="Accounts, the newest change first" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">State</th>
            <th scope="col">Roles</th>
            <th scope="col">Groups</th>
            <th scope="col">Changed</th>
          </tr>
        </thead>
        <tbody>${accounts.map(accountRow)}
        </tbody>
      </table>
    </div>`
}

function accountRow(account: Account): Html {
  const { id, organizationId, name, email, state, roles, groups, occurredAt } = account
  return html`
          <tr class="${state}">
            <th scope="row">
              <span class="name">${nameOf(account)}</span>
              ${name !== null && email !== null ? html`<span class="email">${breakable(email)}</span>` : ''}
              <span class="ids"><code>${id}</code> in <code>${organizationId}</code></span>
            </th>
            <td data-column="State"><span class="state">${stateNames[state]}</span></td>
            <td data-column="Roles">${listed(roles)}</td>
            <td data-column="Groups">${listed(groups)}</td>
            <td data-column="Changed">${time(occurredAt)}</td>
          </tr>`
}

function nameOf({ name, email, state }: Account): string | Html {
  if (name !== null) return name
  if (email !== null) return breakable(email)
  return state === 'deleted' ? 'Deleted account' : 'Without a name'
}

/** Allows a line break in a long address after an @ or a dot, but not inside a word. */
function breakable(email: string): Html {
  return html`${email.split(/(?<=[@.])/).map((part) => html`${part}<wbr>`)}`
}

const stateNames: Readonly<Record<AccountState, string>> = {
  active: 'Active',
  deactivated: 'Deactivated',
  deleted: 'Deleted',
}

function listed(names: readonly string[]): Html {
  if (names.length === 0) return html`<span class="none">none</span>`
  return html`<ul>${names.map((name) => html`<li>${name}</li>`)}</ul>`
}

/** Formats a time such as `2026-11-23T09:00:00.153954000Z` without seconds. */
function time(occurredAt: string): Html {
  const minute = occurredAt.slice(0, 16)
  return html`<time datetime="${minute}Z">${minute.replace('T', ' ')} UTC</time>`
}
