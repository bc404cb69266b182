import { html, nothing } from '/console/lit-html/lit-html.js'
import { request } from './api.js'
import { attempt, directory, refreshDirectory, state, update } from './state.js'

/**
 * Renders the open form. Escape and “Cancel” close the form. If the simulator refuses the request, the form stays open.
 */
export function dialog(form) {
  const { title, fields, action, submit } = forms[form.kind](form)
  // The close event can arrive after another dialog has opened.
  const leave = () => {
    if (state.form === form) update({ form: undefined })
  }
  // If a dialog is removed before it is closed, the page loses the focus.
  const close = ({ target }) => {
    target.closest('dialog').close()
    leave()
  }
  const send = async (event) => {
    event.preventDefault()
    const entered = new FormData(event.target)
    if (await attempt(() => submit(entered))) close(event)
  }
  const isRemoval = form.kind === 'removal'
  return html`
    <dialog aria-labelledby="form-title" @close=${leave}>
      <form @submit=${send}>
        <h2 id="form-title">${title}</h2>
        ${fields}
        <div class="bar">
          <button class="main ${isRemoval ? 'danger' : ''}" type="submit">${action}</button>
          <button type="button" ?autofocus=${isRemoval} @click=${close}>Cancel</button>
        </div>
      </form>
    </dialog>`
}

const forms = {
  organization: () => ({
    title: 'New organization',
    fields: html`${field('Name', 'displayName', '', { required: true })} ${providerField()}`,
    action: 'Create',
    submit: async (entered) => {
      const organization = await request('POST', '/organizations', {
        displayName: entered.get('displayName'),
      })
      await createDirectory(organization.id, entered)
    },
  }),
  directory: ({ organization }) => ({
    title: `New directory for ${organization.displayName}`,
    fields: html`${field('Name', 'name', '')} ${providerField()}`,
    action: 'Create',
    submit: (entered) => createDirectory(organization.id, entered),
  }),
  newUser: ({ user }) => ({
    title: 'New user',
    fields: html`${userFields(user)} ${groupFields([])}`,
    action: 'Add',
    submit: (entered) => request('POST', `/directories/${directory().id}/users`, userOf(entered)),
  }),
  user: ({ user }) => ({
    title: `Update ${user.name}`,
    fields: html`${userFields(user)} ${groupFields(user.groups)}`,
    action: 'Save',
    submit: (entered) => request('PATCH', `/users/${user.id}`, userOf(entered)),
  }),
  group: ({ group }) => ({
    title: group ? `Rename ${group.displayName}` : 'New group',
    fields: field('Name', 'displayName', group?.displayName ?? '', { required: true }),
    action: group ? 'Rename' : 'Create',
    submit: (entered) => {
      const body = { displayName: entered.get('displayName') }
      return group
        ? request('PATCH', `/groups/${group.id}`, body)
        : request('POST', `/directories/${directory().id}/groups`, body)
    },
  }),
  removal: ({ action, name, text, path }) => ({
    title: `${action} ${name}?`,
    fields: html`<p>${text}</p>`,
    action,
    submit: () => request('DELETE', path),
  }),
  endpoint: () => ({
    title: 'New endpoint',
    fields: html`
      ${field('URL', 'url', '', { required: true, type: 'url' })}
      ${field('Signing secret (empty: a new secret)', 'secret', '')}`,
    action: 'Add',
    submit: (entered) =>
      request('POST', '/endpoints', {
        url: entered.get('url'),
        ...textField('secret', entered.get('secret')),
      }),
  }),
}

async function createDirectory(organizationId, entered) {
  const { id } = await request('POST', `/organizations/${organizationId}/directories`, {
    provider: entered.get('provider'),
    ...textField('name', entered.get('name')),
  })
  update({ directoryId: id, offset: 0, search: '' })
  await refreshDirectory()
}

function userOf(entered) {
  const text = (name) => entered.get(name).trim() || null
  return {
    givenName: text('givenName'),
    familyName: text('familyName'),
    email: text('email'),
    title: text('title'),
    groupIds: entered.getAll('groupIds'),
  }
}

function userFields({ givenName, familyName, email, title }) {
  return html`
    ${field('Given name', 'givenName', givenName ?? '', { required: true })}
    ${field('Family name', 'familyName', familyName ?? '')}
    ${field('Email', 'email', email ?? '', { required: true, type: 'email' })}
    ${field('Title', 'title', title ?? '')}`
}

function groupFields(memberships) {
  if (state.groups.length === 0) return nothing
  const isIn = (id) => memberships.some((group) => group.id === id)
  return html`
    <fieldset>
      <legend>Groups</legend>
      ${state.groups.map(
        ({ id, displayName }) =>
          html`<label class="choice"><input type="checkbox" name="groupIds" value=${id} ?checked=${isIn(id)}> ${displayName}</label>`,
      )}
    </fieldset>`
}

function providerField() {
  return html`
    <label>Identity provider
      <select name="provider">
        ${state.simulator.providers.map((provider) => html`<option>${provider}</option>`)}
      </select>
    </label>`
}

function field(label, name, value, { required = false, type = 'text' } = {}) {
  return html`<label>${label}<input name=${name} type=${type} value=${value} ?required=${required} autocomplete="off"></label>`
}

/** Returns an object with the field for the request body. For an empty text, the object is empty. */
function textField(name, text) {
  return text?.trim() ? { [name]: text.trim() } : {}
}
