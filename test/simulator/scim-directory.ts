import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DirectoryEvent } from '@scalekit-scim/core'
import { createFakeClock } from '@scalekit-scim/core/testing'
import type { Directory } from '@scalekit-scim/simulator'
import express from 'express'
import { expect } from 'vitest'
import { Environment } from '../../packages/simulator/src/environment/environment.ts'
import { createRandomness } from '../../packages/simulator/src/randomness.ts'
import { scimRouter } from '../../packages/simulator/src/scim/router.ts'

export const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

export const ada = {
  schemas: [userSchema],
  userName: 'ada@acme.test',
  externalId: 'ext-1',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [{ value: 'ada@acme.test', type: 'work', primary: true }],
  active: true,
}

/** The fields of a resource, a list or an error that the tests read. */
export interface ScimBody {
  [name: string]: unknown
  id: string
  meta: { created: string; location: string; version: string }
  userName: string
  displayName: string
  active: boolean
  members: { value: string }[]
  totalResults: number
  startIndex: number
  itemsPerPage: number
  Resources: ScimBody[]
}

export interface ScimAnswer {
  status: number
  headers: Headers
  /** `undefined` if there is no body, so that a test that reads the body fails. */
  body: ScimBody
}

export interface ScimOptions {
  token?: string | null
  headers?: Record<string, string>
}

/** A directory with its own SCIM server, as an identity provider uses it. */
export interface ScimDirectory {
  environment: Environment
  directory: Directory
  baseUrl: string
  /** The events since this list was emptied. */
  events: DirectoryEvent[]
  send(method: string, path: string, body?: unknown, options?: ScimOptions): Promise<ScimAnswer>
  patch(path: string, ...operations: object[]): Promise<ScimAnswer>
  /** Returns the body of a resource that exists. */
  get(path: string): Promise<ScimBody>
  /** Creates the user Ada, with the given fields in addition, and returns the id. */
  createUser(fields?: object): Promise<string>
  createGroup(displayName: string, ...memberIds: string[]): Promise<string>
  close(): Promise<void>
}

export async function openScimDirectory(): Promise<ScimDirectory> {
  const environment = new Environment({ clock: createFakeClock(), randomness: createRandomness('scim') })
  const { id } = environment.createOrganization({ displayName: 'Acme' })
  const directory = environment.createDirectory(id)
  const events: DirectoryEvent[] = []
  environment.onEvent((event) => void events.push(event))

  const app = express().use('/scim/v2/:directoryId', scimRouter(environment))
  const server: Server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const baseUrl = `http://127.0.0.1:${port}/scim/v2/${directory.id}`

  const send: ScimDirectory['send'] = async (method, path, body, { token, headers } = {}) => {
    const response = await fetch(path.startsWith('http') ? path : baseUrl + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token ?? directory.scimToken}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  return {
    environment,
    directory,
    baseUrl,
    events,
    send,
    patch: (path, ...operations) =>
      send('PATCH', path, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: operations,
      }),
    async get(path) {
      const { status, body } = await send('GET', path)
      expect(status).toBe(200)
      return body
    },
    async createUser(fields) {
      const { status, body } = await send('POST', '/Users', { ...ada, ...fields })
      expect(status).toBe(201)
      return body.id
    },
    async createGroup(displayName, ...memberIds) {
      const members = memberIds.map((value) => ({ value }))
      const { status, body } = await send('POST', '/Groups', { schemas: [groupSchema], displayName, members })
      expect(status).toBe(201)
      return body.id
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Returns the types of the events without their common part, and empties the list. */
export function takeEventTypes(events: DirectoryEvent[]): string[] {
  return events.splice(0).map(({ type }) => type.replace(/^organization\.(directory\.)?/, ''))
}

/** RFC 7644, 3.12: the status is a string. */
export function expectError({ status, body }: ScimAnswer, wanted: number, scimType?: string): void {
  expect(status).toBe(wanted)
  expect(body).toEqual({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(wanted),
    ...(scimType ? { scimType } : {}),
    detail: expect.any(String),
  })
}
