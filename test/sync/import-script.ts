// Runs a bulk import in its own process. The API is unavailable at first.
import { directoryUsers } from '@scalekit-scim/core/sync'
import { apiOf, apiUser, directory, inPages } from './in-process-api.ts'

let calls = 0
const serve = inPages([[apiUser('diruser_1')]])
const api = apiOf({
  async listDirectoryUsers(...request) {
    if (calls++ === 0) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    return serve(...request)
  },
})
let users = 0
for await (const _ of directoryUsers(api, directory)) users++
console.log(`${users} user at the ${calls === 2 ? 'second' : 'first'} try`)
