import assert from 'node:assert/strict'
import { it } from 'node:test'
import { deletion, user } from './events.ts'
import { databaseFile, startApp } from './support.ts'

it('the page lists the accounts, with every value escaped', async (t) => {
  const app = await startApp(t, await databaseFile(t))
  const name = `<img src=x onerror="alert('1')"> & Sons`
  await app.deliver(user('09:00:00.153954', { name, groups: [{ id: 'dirgroup_1', name: '<b>Bold</b>' }] }))
  await app.deliver(deletion('10:00:00'))
  await app.deliver(user('11:00:00', { id: 'diruser_2', name, groups: [{ id: 'g', name: '<b>Bold</b>' }] }))

  const response = await fetch(app.url)
  const page = await response.text()
  assert.equal(response.status, 200)
  assert.match(page, /&lt;img src=x onerror=&quot;alert\(&#39;1&#39;\)&quot;&gt; &amp; Sons/)
  assert.match(page, /<li>&lt;b&gt;Bold&lt;\/b&gt;<\/li>/)
  assert.doesNotMatch(page, /<img|<b>/)
  assert.match(page, /Deleted account/)
  assert.match(page, /<time datetime="2026-11-23T11:00Z">2026-11-23 11:00 UTC<\/time>/)
})

it('the page does not load files or run scripts, and reloads only on request', async (t) => {
  const app = await startApp(t, await databaseFile(t))
  const response = await fetch(app.url)
  const page = await response.text()
  assert.match(
    response.headers.get('content-security-policy') ?? '',
    /^default-src 'none'; style-src 'sha256-/,
  )
  assert.equal(response.headers.get('cache-control'), 'no-store')
  assert.doesNotMatch(page, /<script|<link|src=|url\(|http-equiv="refresh"/)
  assert.match(await (await fetch(`${app.url}/?live`)).text(), /http-equiv="refresh"/)
})
