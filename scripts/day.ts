import type { DirectoryEvent, DirectoryUser, Outcome } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'

// The events of a working day in the directory of one customer, in the order in which the application receives them.
// The events happened in a different order.

/** One signed request, and the expected answer. */
export interface Delivery {
  what: string
  event: DirectoryEvent
  expect: { status: number; outcome: Outcome }
  /** Set if a message is sent more than once. */
  messageId?: string
  /** Set if the delivery is signed with another secret. */
  isForged?: true
  /** Set if another process locks the database during the delivery. */
  isLocked?: true
}

/** The expected row of an account at the end of the day. */
export interface EndState {
  id: string
  state: string
  name: string | null
  email: string | null
  roles: string[]
  groups: string[]
  /** The time of the newest event that was applied: `ctx.occurredAt`. */
  occurredAt: string
}

type User = Omit<DirectoryUser, 'organization_id'>
type Group = { id: string; name: string }

const organization_id = 'org_acme'

const engineering: Group = { id: 'dirgroup_engineering', name: 'Engineering' }
const admins: Group = { id: 'dirgroup_admins', name: 'IT Admins' }
const sales: Group = { id: 'dirgroup_sales', name: 'Sales' }

const amelia = { id: 'diruser_amelia', name: 'Amelia Hart', email: 'amelia.hart@acme.example' }
const ben = { id: 'diruser_ben', name: 'Ben Okafor', email: 'ben.okafor@acme.example' }
const chidi = { id: 'diruser_chidi', name: 'Chidi Nwosu', email: 'chidi.nwosu@acme.example' }
const dana = { id: 'diruser_dana', name: 'Dana Lindqvist', email: 'dana.lindqvist@acme.example' }
const mallory = { id: 'diruser_mallory', name: 'Mallory Finch', email: 'mallory@elsewhere.example' }

/** @param date A date in the past, such as `2026-11-23`: the ledger treats an event from the future as current */
export function workingDay(date: string): Delivery[] {
  const { directory, hire, update, leave, group, rename, dissolve } = eventsOn(date)
  const ameliasHire = {
    messageId: 'msg_amelias_hire',
    event: hire('09:00', { ...amelia, groups: [engineering] }),
  }
  const chidisName = {
    messageId: 'msg_chidis_name',
    event: update('12:30', { ...chidi, name: 'Chidi Berg' }),
  }

  return [
    { what: 'The directory is connected: no handler', event: directory('08:30'), expect: unhandled },
    { what: 'Group Engineering is created', event: group('08:40', engineering), expect: processed },
    { what: 'Group IT Admins is created', event: group('08:45', admins), expect: processed },
    { what: 'Amelia is hired into Engineering', ...ameliasHire, expect: processed },
    { what: '  the same message once more', ...ameliasHire, expect: duplicate },
    {
      what: 'Ben is hired into Engineering and IT Admins',
      event: hire('09:05', { ...ben, groups: [engineering, admins] }),
      expect: processed,
    },
    {
      what: 'Chidi is hired into Sales, a new group',
      event: hire('09:10', { ...chidi, groups: [sales] }),
      expect: processed,
    },
    {
      what: 'Mallory forges a hire into IT Admins',
      event: hire('09:30', { ...mallory, groups: [admins] }),
      isForged: true,
      expect: refused,
    },
    {
      what: 'Dana moves to Sales, and overtakes her hire',
      event: update('10:15', { ...dana, groups: [sales] }),
      expect: processed,
    },
    {
      what: '  her hire arrives',
      event: hire('10:00', { ...dana, groups: [engineering] }),
      expect: stale,
    },
    {
      what: 'Ben leaves IT Admins',
      event: update('11:00', { ...ben, groups: [engineering] }),
      expect: processed,
    },
    {
      what: 'Sales is called Sales & Success',
      event: rename('11:30', sales, 'Sales & Success'),
      expect: processed,
    },
    { what: 'Chidi marries; the database is locked', ...chidisName, isLocked: true, expect: unavailable },
    { what: '  the message is tried again', ...chidisName, expect: processed },
    {
      what: 'Ben is deactivated (active: false)',
      event: update('14:00', { ...ben, active: false }),
      expect: processed,
    },
    { what: 'Dana is deleted', event: leave('15:00', dana), expect: processed },
    {
      what: '  an update from before the deletion arrives',
      event: update('14:45', { ...dana, groups: [admins] }),
      expect: stale,
    },
    { what: 'Group IT Admins is deleted', event: dissolve('16:00', admins), expect: processed },
    {
      what: 'Amelia gets a new email',
      event: update('16:30', { ...amelia, email: 'amelia@acme.example' }),
      expect: processed,
    },
  ]
}

export function eveningOf(date: string): EndState[] {
  const at = (time: string) => ({ occurredAt: `${date}T${time}:00.153954000Z` })
  return [
    {
      ...amelia,
      ...at('16:30'),
      email: 'amelia@acme.example',
      state: 'active',
      roles: ['editor'],
      groups: ['Engineering'],
    },
    { ...ben, ...at('14:00'), state: 'deactivated', roles: ['editor'], groups: ['Engineering'] },
    {
      ...chidi,
      ...at('12:30'),
      name: 'Chidi Berg',
      state: 'active',
      roles: ['viewer'],
      groups: ['Sales & Success'],
    },
    { id: dana.id, ...at('15:00'), state: 'deleted', name: null, email: null, roles: [], groups: [] },
  ]
}

const processed = { status: 201, outcome: 'processed' } as const
const unhandled = { status: 201, outcome: 'unhandled' } as const
const duplicate = { status: 200, outcome: 'duplicate' } as const
const stale = { status: 200, outcome: 'stale' } as const
const refused = { status: 400, outcome: 'invalid-signature' } as const
const unavailable = { status: 503, outcome: 'store-unavailable' } as const

/**
 * Returns functions that create the events of one day. User events have only the given fields, so the user's other
 * fields must not change.
 */
function eventsOn(date: string) {
  const at = (time: string) => ({ occurred_at: `${date}T${time}:00.153954Z`, organization_id })
  const groupData = ({ id }: Group, name: string) => ({ id, organization_id, display_name: name })
  return {
    directory: (time: string) =>
      sampleEvent('organization.directory_enabled', { ...at(time), data: { organization_id } }),
    hire: (time: string, user: User) => ({
      ...sampleEvent('organization.directory.user_created', at(time)),
      data: { organization_id, ...user },
    }),
    update: (time: string, user: User) => ({
      ...sampleEvent('organization.directory.user_updated', at(time)),
      data: { organization_id, ...user },
    }),
    leave: (time: string, { id, email }: { id: string; email: string }) =>
      sampleEvent('organization.directory.user_deleted', {
        ...at(time),
        data: { id, organization_id, email },
      }),
    group: (time: string, group: Group) =>
      sampleEvent('organization.directory.group_created', {
        ...at(time),
        data: groupData(group, group.name),
      }),
    rename: (time: string, group: Group, name: string) =>
      sampleEvent('organization.directory.group_updated', { ...at(time), data: groupData(group, name) }),
    dissolve: (time: string, group: Group) =>
      sampleEvent('organization.directory.group_deleted', {
        ...at(time),
        data: groupData(group, group.name),
      }),
  }
}
