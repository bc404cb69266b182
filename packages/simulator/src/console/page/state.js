import { ask, listen } from './api.js'

/** All that the page shows. Changed here alone; each change draws the page anew. */
export const state = {
  isConnected: true,
  /** What the simulator is, as `GET /state` gives it. */
  simulator: undefined,
  directoryId: undefined,
  search: '',
  offset: 0,
  users: { count: 0, items: [] },
  groups: [],
  messages: { count: 0, items: [] },
  shownMessages: 100,
  onlyUndelivered: false,
  /** Ids of the messages that are shown whole. */
  open: new Set(),
  details: new Map(),
  /** What is being filled in: `{ kind, … }`. */
  form: undefined,
  notice: undefined,
}

export const pageSize = 25
/** The list grows by this, up to what the simulator gives at once. */
export const messagesStep = 100
export const mostMessages = 500

let draw = () => {}
let noticeTimer
/** When `GET /state` was answered, by the page's own clock. */
let askedAtMs = 0

export async function start(drawPage) {
  draw = drawPage
  await refresh()
  setInterval(() => {
    if (state.messages.items.some(isWaiting)) draw()
  }, 1000)
  listen({
    connected: (isConnected) => {
      update({ isConnected })
      // Of what changed before, nothing was heard.
      if (isConnected) void refresh()
    },
    changed: ({ directory, messageIds }) => {
      if (directory) directorySoon()
      for (const id of messageIds) changedIds.add(id)
      if (messageIds.length > 0) messagesSoon()
    },
  })
}

export function update(change) {
  Object.assign(state, change)
  draw()
}

/** Does what a button stands for, and says what went wrong where it did. */
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

/** The simulator's time, which goes on between two answers. */
export function nowMs() {
  const { nowMs, speed } = state.simulator.clock
  return nowMs + (performance.now() - askedAtMs) * speed
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

/** Runs `work` again and again while it is asked for, never twice at once: a storm of changes is one question. */
function oneAtATime(work) {
  let isRunning = false
  let isWanted = false
  return async () => {
    isWanted = true
    if (isRunning) return
    isRunning = true
    while (isWanted) {
      isWanted = false
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

// An answer that was asked for earlier must not replace a later one.
let asked = 0

export async function refreshDirectory() {
  const turn = ++asked
  const simulator = await ask('GET', '/state').catch(() => undefined)
  if (!simulator || turn !== asked) return
  state.simulator = simulator
  askedAtMs = performance.now()
  const shown = directory()
  if (!shown) return update({ users: { count: 0, items: [] }, groups: [] })
  state.directoryId = shown.id
  const query = new URLSearchParams({ search: state.search, offset: state.offset, limit: pageSize })
  const [users, groups] = await Promise.all([
    ask('GET', `/directories/${shown.id}/users?${query}`),
    ask('GET', `/directories/${shown.id}/groups`),
  ]).catch(() => [])
  if (turn !== asked || !users || !groups) return
  // The last one of the last page has gone.
  if (users.items.length === 0 && users.count > 0) {
    state.offset = Math.floor((users.count - 1) / pageSize) * pageSize
    return refreshDirectory()
  }
  update({ users, groups })
}

async function refreshMessages(changedIds) {
  const only = state.onlyUndelivered ? '&only=undelivered' : ''
  const messages = await ask('GET', `/messages?limit=${state.shownMessages}${only}`).catch(() => undefined)
  if (messages) update({ messages })
  await Promise.all(changedIds.filter((id) => state.open.has(id)).map(loadDetail))
}

/** Shows other messages, or more of them. */
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
  const detail = await ask('GET', `/messages/${id}`).catch(() => undefined)
  if (detail) state.details.set(id, detail)
  draw()
}
