import { createDispatcher, type ScimEvent } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { expect, onTestFinished, test } from 'vitest'

async function contextOf(event: ScimEvent, directoryId?: string) {
  const contexts: object[] = []
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    onEvent: (_event, ctx) => contexts.push(ctx),
  })
  onTestFinished(() => dispatcher.close())
  await dispatcher.dispatch(event, { source: 'webhook', ...(directoryId ? { directoryId } : {}) })
  return contexts[0]
}

const user = sampleEvent('organization.directory.user_updated')
const withDirectory = (directory_id: unknown) => ({ ...user, data: { ...user.data, directory_id } })

test.each([
  {
    of: 'a group',
    event: sampleEvent('organization.directory.group_created'),
    says: 'dir_69615647365005431',
  },
  { of: 'a directory', event: sampleEvent('organization.directory_enabled'), says: 'dir_69615647365005431' },
  // The event has the form of Scalekit's quickstart.
  { of: 'a user with a directory id', event: withDirectory('dir_1'), says: 'dir_1' },
])("the context of an event of $of has the directory's id", async ({ event, says }) => {
  expect(await contextOf(event)).toMatchObject({ directoryId: says })
})

test.each([
  { of: 'a user', event: user },
  { of: 'a user with an invalid directory id', event: withDirectory(7) },
  {
    of: 'a group without a directory id',
    event: sampleEvent('organization.directory.group_deleted', { data: { directory_id: null } }),
  },
])('the context of an event of $of has no directory id', async ({ event }) => {
  expect(await contextOf(event)).not.toHaveProperty('directoryId')
})

test("the option `directoryId` of dispatch overrides the event's", async () => {
  expect(await contextOf(withDirectory('dir_1'), 'dir_2')).toMatchObject({ directoryId: 'dir_2' })
})
