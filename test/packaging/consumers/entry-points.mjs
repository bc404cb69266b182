import { ConfigurationError, createReceiver } from '@scalekit-scim/core'
import { requirePath } from '@scalekit-scim/core/adapter'
import { requireKnownNames } from '@scalekit-scim/core/internal'
import { createDirectorySync } from '@scalekit-scim/core/sync'
import { signDelivery } from '@scalekit-scim/core/testing'

const thrownBy = (call) => {
  try {
    call()
  } catch (error) {
    return error
  }
}
const errors = {
  index: thrownBy(() => createReceiver({ wrong: true })),
  adapter: thrownBy(() => requirePath('no path')),
  internal: thrownBy(() => requireKnownNames({ wrong: true }, ['right'])),
  testing: thrownBy(() => signDelivery('', { secret: 'no secret' })),
  sync: thrownBy(() => createDirectorySync({ wrong: true })),
}
const found = Object.entries(errors).map(([name, error]) => `${name} ${error instanceof ConfigurationError}`)
console.log(found.join(', '))
