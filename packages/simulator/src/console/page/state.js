import { listen, request } from './api.js'

/** The state of the page. Only this file changes the state. Each change renders the page. */
export const state = {
  isConnected: true,
  /** The result of `GET /state`. */
  simulator: undefined,
  directoryId: undefined,
  search: '',
  offset: 0,
  users: { count: 0, items: [] },
  groups: [],
  messages: { count: 0, items: [] },
  shownMessages: 100,
  onlyUndelivered: false,
  /** The ids of the messages whose details are open. */
  open: new Set(),
  details: new Map(),
  /** The open form: `{ kind, … }`. */
  form: undefined,
  notice: undefined,
}

export const pageSize = 25
/** The number of messages that “Show more” adds, up to the simulator's limit. */
export const messagesStep = 100
export const maxMessages = 500

let draw = () => {}
let noticeTimer
/** The time of the last `GET /state`, by the page's clock. */
let loadedAtMs = 0

export async function start(drawPage) {
  draw = drawPage
  await refresh()
  setInterval(() => {
    if (state.messages.items.some(isWaiting)) draw()
  }, 1000)
  listen({
    connected: (isConnected) => {
      update({ isConnected })
      // Without a connection, the page received no changes.
      if (isConnected) void refresh()
    },
    changed: (changes) => {
      const messageIds = changes.filter((change) => change !== 'directory')
      if (messageIds.length < changes.length) directorySoon()
      for (const id of messageIds) changedIds.add(id)
      if (messageIds.length > 0) messagesSoon()
    },
  })
}

export function update(change) {
  Object.assign(state, change)
  draw()
}

/** Runs the action of a button. If the action fails, shows the error. */
export async function attempt(work, done) {
  try {
    await work()
    void directorySoon()
    if (done) notify(done)
  } catch (error) {
    notify(error.message, true)
    return false
  }
  return true
}

export function notify(text, isError = false) {
  clearTimeout(noticeTimer)
  update({ notice: { text, isError } })
  noticeTimer = setTimeout(() => update({ notice: undefined }), isError ? 10_000 : 4000)
}

/** Returns the simulator's current time, calculated from the last `GET /state`. */
export function nowMs() {
  const { nowMs, speed } = state.simulator.clock
  return nowMs + (performance.now() - loadedAtMs) * speed
}

function isWaiting({ deliveries }) {
  return deliveries.some(({ nextAttemptAtMs }) => nextAttemptAtMs !== undefined)
}

export function directories() {
  return state.simulator.organizations.flatMap((organization) =>
    organization.directories.map((directory) => ({ ...directory, organization })),
  )
}

export function directory() {
  return directories().find(({ id }) => id === state.directoryId) ?? directories()[0]
}

async function refresh() {
  await Promise.all([refreshDirectory(), refreshMessages([])])
}

/**
 * Never runs `work` twice at the same time. If a caller requests `work` during a run, `work` runs once more after the
 * run. So a series of changes causes few requests.
 */
function oneAtATime(work) {
  let isRunning = false
  let isRequested = false
  return async () => {
    isRequested = true
    if (isRunning) return
    isRunning = true
    while (isRequested) {
      isRequested = false
      await work()
    }
    isRunning = false
  }
}

const changedIds = new Set()
const directorySoon = oneAtATime(refreshDirectory)
const messagesSoon = oneAtATime(async () => {
  const ids = [...changedIds]
  changedIds.clear()
  await refreshMessages(ids)
})

// The answer to an earlier request must not replace the answer to a later request.
let lastRequest = 0

export async function refreshDirectory() {
  const current = ++lastRequest
  const simulator = await request('GET', '/state').catch(() => undefined)
  if (!simulator || current !== lastRequest) return
  state.simulator = simulator
  loadedAtMs = performance.now()
  const shown = directory()
  if (!shown) return update({ users: { count: 0, items: [] }, groups: [] })
  state.directoryId = shown.id
  const query = new URLSearchParams({ search: state.search, offset: state.offset, limit: pageSize })
  const [users, groups] = await Promise.all([
    request('GET', `/directories/${shown.id}/users?${query}`),
    request('GET', `/directories/${shown.id}/groups`),
  ]).catch(() => [])
  if (current !== lastRequest || !users || !groups) return
  // The page is empty, because the last user of the last page was deleted.
  if (users.items.length === 0 && users.count > 0) {
    state.offset = Math.floor((users.count - 1) / pageSize) * pageSize
    return refreshDirectory()
  }
  update({ users, groups })
}

async function refreshMessages(changedIds) {
  const only = state.onlyUndelivered ? '&only=undelivered' : ''
  const messages = await request('GET', `/messages?limit=${state.shownMessages}${only}`).catch(
    () => undefined,
  )
  if (messages) update({ messages })
  await Promise.all(changedIds.filter((id) => state.open.has(id)).map(loadDetail))
}

/** Changes the filter of the message list. */
export function chooseMessages(change) {
  update(change)
  void messagesSoon()
}

export async function toggleMessage(id) {
  if (state.open.delete(id)) return update({})
  state.open.add(id)
  await loadDetail(id)
}

async function loadDetail(id) {
  const detail = await request('GET', `/messages/${id}`).catch(() => undefined)
  if (detail) state.details.set(id, detail)
  draw()
}
