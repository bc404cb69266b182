import { repeat } from '/console/lit-html/directives/repeat.js'
import { html, nothing } from '/console/lit-html/lit-html.js'
import { request } from './api.js'
import { breakable, count } from './format.js'
import { sampleUser } from './people.js'
import { attempt, directories, directory, pageSize, refreshDirectory, state, update } from './state.js'

export function directorySection() {
  const shown = directory()
  return html`
    <section aria-labelledby="directory-title">
      <div class="bar">
        <h2 id="directory-title">Directory</h2>
        <button @click=${() => update({ form: { kind: 'organization' } })}>New organization</button>
      </div>
      ${shown ? directoryBody(shown) : html`<p class="empty">No directory yet. Create an organization.</p>`}
    </section>`
}

function directoryBody(shown) {
  const isOff = !shown.enabled
  return html`
    <div class="sheet pad">
      <div class="bar">
        <label>Directory
          <select @change=${(event) => choose(event.target.value)}>
            ${directories().map(
              ({ id, name, organization }) =>
                html`<option value=${id} ?selected=${id === shown.id}>${organization.displayName}: ${name}</option>`,
            )}
          </select>
        </label>
        <span class="state ${isOff ? 'off' : 'on'}">${isOff ? 'disabled' : 'enabled'}</span>
        <button @click=${() => attempt(() => request('POST', `/directories/${shown.id}/${isOff ? 'enable' : 'disable'}`))}>
          ${isOff ? 'Enable' : 'Disable'}
        </button>
        <button @click=${() => update({ form: { kind: 'directory', organization: shown.organization } })}>
          New directory for ${shown.organization.displayName}
        </button>
      </div>
      <details>
        <summary>SCIM endpoint, for an identity provider or any SCIM client</summary>
        <dl>
          <dt>Base URL</dt><dd><code>${shown.scimUrl}</code></dd>
          <dt>Bearer token</dt><dd><code>${shown.scimToken}</code></dd>
        </dl>
      </details>
    </div>
    ${users(shown)}
    ${groups(shown)}`
}

function choose(directoryId) {
  update({ directoryId, offset: 0, search: '' })
  void refreshDirectory()
}

// ── Users ──

function users(shown) {
  const { items, count: total } = state.users
  return html`
    <div class="bar">
      <h3>Users</h3>
      <button class="main" ?disabled=${!shown.enabled} @click=${() => update({ form: { kind: 'newUser', user: sampleUser() } })}>
        Add user
      </button>
      <label class="end">Search
        <input type="search" .value=${state.search} @input=${(event) => search(event.target.value)}>
      </label>
    </div>
    ${
      items.length === 0
        ? html`<p class="empty">${state.search ? 'No matching users.' : 'No users yet. Press “Add user”.'}</p>`
        : html`
          <div class="sheet table" role="region" aria-label="Users" tabindex="0">
            <table>
              <thead><tr><th scope="col">User</th><th scope="col">Groups</th><th scope="col">Change</th></tr></thead>
              <tbody>${repeat(
                items,
                ({ id }) => id,
                (user) => userRow(user, shown.enabled),
              )}</tbody>
            </table>
          </div>`
    }
    ${total > pageSize ? pager(total) : nothing}`
}

function userRow(user, isOn) {
  const { id, name, email, title, active, groups } = user
  const remove = () =>
    update({
      form: {
        kind: 'removal',
        action: 'Delete',
        name,
        text: 'The user leaves the directory. The application receives an event.',
        path: `/users/${id}`,
      },
    })
  const change = (patch, done) => attempt(() => request('PATCH', `/users/${id}`, patch), done)
  return html`
    <tr>
      <th scope="row">
        <span class="name">${name}</span>
        <span class="state ${active ? 'on' : 'wait'}">${active ? 'active' : 'deactivated'}</span>
        <span class="quiet">${breakable(email)}</span>
        ${title ? html`<span class="quiet">${title}</span>` : nothing}
      </th>
      <td>${groups.map(({ name }) => name).join(', ') || html`<span class="quiet">no groups</span>`}</td>
      <td><div class="buttons">
        <button class="small" ?disabled=${!isOn} aria-label="Update ${name}" @click=${() => update({ form: { kind: 'user', user } })}>Update</button>
        <button class="small" ?disabled=${!isOn} aria-label="${active ? 'Deactivate' : 'Activate'} ${name}" @click=${() => change({ active: !active })}>
          ${active ? 'Deactivate' : 'Activate'}
        </button>
        <button class="small danger" ?disabled=${!isOn} aria-label="Delete ${name}" @click=${remove}>Delete</button>
      </div></td>
    </tr>`
}

function search(text) {
  update({ search: text, offset: 0 })
  void refreshDirectory()
}

function pager(total) {
  const go = (offset) => {
    update({ offset })
    void refreshDirectory()
  }
  const { offset } = state
  return html`
    <nav class="bar" aria-label="Pages of users">
      <button ?disabled=${offset === 0} @click=${() => go(Math.max(offset - pageSize, 0))}>Previous</button>
      <span>${offset + 1} to ${Math.min(offset + pageSize, total)} of ${count(total, 'user')}</span>
      <button ?disabled=${offset + pageSize >= total} @click=${() => go(offset + pageSize)}>Next</button>
    </nav>`
}

// ── Groups ──

function groups(shown) {
  return html`
    <div class="bar">
      <h3>Groups</h3>
      <button ?disabled=${!shown.enabled} @click=${() => update({ form: { kind: 'group' } })}>New group</button>
    </div>
    ${
      state.groups.length === 0
        ? html`<p class="empty">No groups yet. Add users to a group with their “Update”.</p>`
        : html`
          <div class="sheet table" role="region" aria-label="Groups" tabindex="0">
            <table>
              <thead><tr><th scope="col">Name</th><th scope="col">Members</th><th scope="col">Change</th></tr></thead>
              <tbody>${repeat(
                state.groups,
                ({ id }) => id,
                (group) => groupRow(group, shown.enabled),
              )}</tbody>
            </table>
          </div>`
    }`
}

function groupRow(group, isOn) {
  const { id, displayName, memberCount } = group
  const remove = () =>
    update({
      form: {
        kind: 'removal',
        action: 'Delete',
        name: displayName,
        text: 'The members leave the group. The application receives an event for each member.',
        path: `/groups/${id}`,
      },
    })
  return html`
    <tr>
      <th scope="row"><span class="name">${displayName}</span></th>
      <td>${memberCount}<span class="unit">${memberCount === 1 ? ' member' : ' members'}</span></td>
      <td><div class="buttons">
        <button class="small" ?disabled=${!isOn} aria-label="Rename ${displayName}" @click=${() => update({ form: { kind: 'group', group } })}>Rename</button>
        <button class="small danger" ?disabled=${!isOn} aria-label="Delete ${displayName}" @click=${remove}>Delete</button>
      </div></td>
    </tr>`
}
