import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The path of a Chromium, from `CHROMIUM_PATH` or the usual places. `undefined` if Chromium is not installed. */
export const chromiumPath = process.env.CHROMIUM_PATH ?? places.find((path) => existsSync(path))

if (!chromiumPath && process.env.CI) {
  throw new Error('CI needs Chromium for the tests of pages: apt-get install chromium, or CHROMIUM_PATH.')
}
if (!chromiumPath) {
  console.warn('SKIPPED: tests of pages, for want of Chromium (apt-get install chromium, or CHROMIUM_PATH).')
}

export function launchChromium(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']
  return chromium.launch({
    ...(chromiumPath ? { executablePath: chromiumPath } : {}),
    args: [...args, '--disable-component-update', '--disable-sync', '--no-first-run'],
  })
}
