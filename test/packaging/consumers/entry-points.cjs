const { ConfigurationError, createReceiver } = require('@scalekit-scim/core')
const { requirePath } = require('@scalekit-scim/core/adapter')
const { requireKnownNames } = require('@scalekit-scim/core/internal')
const { createDirectorySync } = require('@scalekit-scim/core/sync')
const { signDelivery } = require('@scalekit-scim/core/testing')

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
