import { randomUUID } from 'node:crypto'
import type { Clock } from './clock.ts'

/** The source of random numbers, for jitter, tokens and ids. */
export interface Randomness {
  /** Returns a number that is at least 0 and less than 1. */
  fraction(): number
  uuid(): string
}

const systemRandomness: Randomness = { fraction: () => Math.random(), uuid: randomUUID }
const replacements = new WeakMap<Clock, Randomness>()

/** Returns the source of randomness that belongs to the clock: the system's source, except in a simulation. */
export function randomnessOf(clock: Clock): Randomness {
  return replacements.get(clock) ?? systemRandomness
}

/** Replaces the clock's source of randomness. In a simulation, the same seed must give the same history. */
export function replaceRandomness(clock: Clock, randomness: Randomness): void {
  replacements.set(clock, randomness)
}
