import { createRequire } from 'node:module'
import { DropEvent } from '@scalekit-scim/core'

const required = createRequire(import.meta.url)('@scalekit-scim/core')
const error = new required.DropEvent('seat-limit')
console.log(
  error instanceof DropEvent ? 'one class' : 'another class,',
  DropEvent.is(error) ? 'the same brand' : 'another brand',
)
