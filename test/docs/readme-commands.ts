import { createReceiver } from '@scalekit-scim/core'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim } from '@scalekit-scim/express'
import express from 'express'
import { expect } from 'vitest'
import { serve } from '../cli/own-endpoint.ts'

/** The address in the READMEs and the pages. */
export const printedEndpoint = 'http://127.0.0.1:3000/webhooks/scalekit'

/** The words after `npx -p @scalekit-scim/cli scalekit-scim` on each line. */
export function commandsIn(section: string): string[][] {
  const lines = section.matchAll(/^npx(?: -p @scalekit-scim\/(?:cli|simulator))+ scalekit-scim (.+)$/gm)
  return [...lines].map(([, words = '']) => words.split(' '))
}

/** Returns the command with the address of the test's own server, because tests do not use fixed ports. */
export function at(words: readonly string[], endpoint: string): string[] {
  expect(words).toContain(printedEndpoint)
  return words.map((word) => (word === printedEndpoint ? endpoint : word))
}

export async function serveReceiver(): Promise<string> {
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    onUserUpserted: () => {},
    onUserDeleted: () => {},
  })
  return serve(express().use(scalekitScim({ receiver })), '/webhooks/scalekit')
}
