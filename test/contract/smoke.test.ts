import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as forExpress } from '@scalekit-scim/express'
import { scalekitScim as forFastify } from '@scalekit-scim/fastify'
import express from 'express'
import fastify from 'fastify'
import supertest from 'supertest'
import { expect, test } from 'vitest'

test('express', async () => {
  const seen: string[] = []
  const app = express().use(
    forExpress({ secret: TEST_SECRET, onUserUpserted: (event) => seen.push(event.data.id) }),
  )
  const d = signDelivery(sampleEvent('organization.directory.user_created'))
  const r = await supertest(app).post('/webhooks/scalekit').set(d.headers).send(d.body.toString())
  expect(r.status).toBe(201)
  expect(seen.length).toBe(1)
})
test('fastify', async () => {
  const seen: string[] = []
  const app = fastify()
  await app.register(forFastify, { secret: TEST_SECRET, onUserUpserted: (event) => seen.push(event.data.id) })
  const d = signDelivery(sampleEvent('organization.directory.user_created'))
  const r = await app.inject({ url: '/webhooks/scalekit', ...d, payload: d.body })
  expect(r.json()).toEqual({ message: 'Webhook processed successfully' })
  expect(r.statusCode).toBe(201)
  expect(seen.length).toBe(1)
  await app.close()
})
