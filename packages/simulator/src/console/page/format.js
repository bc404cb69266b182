import { html } from '/console/lit-html/lit-html.js'

/** Allows line breaks in an email only after an @ or a dot. */
export function breakable(email = '') {
  return email.split(/(?<=[@.])/).map((part) => html`${part}<wbr>`)
}

export function clockTime(ms) {
  const at = new Date(ms)
  const isToday = at.toDateString() === new Date().toDateString()
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  return isToday ? time : `${at.toLocaleDateString([], { month: 'short', day: 'numeric' })}, ${time}`
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(seconds < 36_000 ? 1 : 0).replace(/\.0$/, '')} h`
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}

/** Returns the reply to an attempt, or the error of the attempt. */
export function replyOf({ status, outcome, error }) {
  if (status === undefined) return error ?? 'no answer'
  return `${status}${outcome ? ` ${outcome}` : ''}`
}
