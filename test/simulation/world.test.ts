import { describe, expect, test } from 'vitest'
import { EventQueue } from './event-queue.ts'
import { SimulatedProcess } from './process.ts'
import { Stream } from './stream.ts'
import { World } from './world.ts'

const isStrict = [{ isStrict: false }, { isStrict: true }]

test('a queue returns its events by their time, and then by their order', () => {
  const random = new Stream(1)
  const queue = new EventQueue()
  const run = () => {}
  const events = Array.from({ length: 500 }, () => ({ atMs: random.below(50), order: random.next() }))
  for (const event of events) {
    queue.add({ ...event, run, owner: undefined, isTimer: false, isCancelled: false })
  }
  const taken = Array.from({ length: 500 }, () => queue.takeFirst()).map((event) => [
    event?.atMs,
    event?.order,
  ])
  const sorted = events.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
  expect(taken).toEqual(sorted.map(({ atMs, order }) => [atMs, order]))
  expect(queue.takeFirst()).toBeUndefined()
})

describe.each(isStrict)('a world with $isStrict for isStrict', (options) => {
  test('runs the promises of an event before the next event', async () => {
    const world = new World({ seed: 1, ...options })
    const seen: string[] = []
    const chain = async () => {
      for (let step = 0; step < 5; step++) await undefined
      seen.push(`first at ${world.nowMs}`)
    }
    world.schedule(10, () => void chain())
    world.schedule(11, () => seen.push(`second at ${world.nowMs}`))
    await world.run(20)
    expect(seen).toEqual(['first at 10', 'second at 11'])
    expect(world.nowMs).toBe(20)
  })

  test('stops after the event that ends the run', async () => {
    const world = new World({ seed: 1, ...options })
    const seen: number[] = []
    for (const atMs of [1, 2, 3]) world.schedule(atMs, () => seen.push(atMs))
    await world.run(10, () => seen.length === 2)
    expect(seen).toEqual([1, 2])
    expect(world.nowMs).toBe(2)
  })

  test('reports the error of an event', async () => {
    const world = new World({ seed: 1, ...options })
    world.schedule(1, () => {
      throw new Error('failed')
    })
    await expect(world.run(10)).rejects.toThrow('failed')
  })
})

describe('a process', () => {
  test('keeps its events while it is paused, and its clock goes on', async () => {
    const { world, process, seen } = scene()
    process.clock.setTimeout(() => seen.push(`timer at ${Math.floor(process.clock.monotonic())}`), 100)
    process.sleep(20).then(() => seen.push(`answer at ${Math.floor(process.clock.monotonic())}`))
    world.schedule(10, () => process.pause())
    world.schedule(5000, () => process.resume())
    await world.run(4999)
    expect(seen).toEqual([])
    await world.run(6000)
    expect(seen.sort()).toEqual(['answer at 5050', 'timer at 5050'])
    expect(process.wasPausedBetween(0, 9)).toBe(false)
    expect(process.wasPausedBetween(0, 10)).toBe(true)
    expect(process.wasPausedBetween(5000, 6000)).toBe(true)
    expect(process.wasPausedBetween(5001, 6000)).toBe(false)
  })

  test('does nothing after its death', async () => {
    const { world, process, seen } = scene()
    process.clock.setTimeout(() => seen.push('timer'), 100)
    process.onDeath(() => seen.push(`death at ${world.nowMs}`))
    world.schedule(50, () => process.die())
    world.schedule(60, () => process.die())
    await world.run(1000)
    expect(seen).toEqual(['death at 50'])
  })

  test('loses the events that it kept if it dies while it is paused', async () => {
    const { world, process, seen } = scene()
    process.sleep(20).then(() => seen.push('answer'))
    world.schedule(10, () => process.pause())
    world.schedule(30, () => process.die())
    world.schedule(40, () => process.resume())
    await world.run(1000)
    expect(seen).toEqual([])
    expect(process.wasPausedBetween(31, 1000)).toBe(false)
  })

  test('counts its timers', async () => {
    const { world, process } = scene()
    const cancelled = process.clock.setTimeout(() => {}, 100)
    process.clock.setTimeout(() => {}, 100)
    expect(process.timers).toBe(2)
    cancelled.cancel()
    cancelled.cancel()
    expect(process.timers).toBe(1)
    await world.run(1000)
    expect(process.timers).toBe(0)
  })

  test('fires a timer at most one millisecond early, and at most 30 ms late', async () => {
    const { world, process } = scene()
    const latenesses: number[] = []
    for (let count = 0; count < 1000; count++) {
      process.clock.setTimeout(() => latenesses.push(world.nowMs - 100), 100)
    }
    await world.run(1000)
    expect(latenesses).toHaveLength(1000)
    expect(Math.min(...latenesses)).toBeGreaterThan(-1)
    expect(Math.max(...latenesses)).toBeLessThanOrEqual(30)
  })
})

test('streams of a world depend on its seed and their names only', () => {
  const one = new World({ seed: 3 })
  const other = new World({ seed: 3 })
  other.stream('another')
  expect(other.stream('calls').next()).toBe(one.stream('calls').next())
  expect(other.stream('calls').next()).toBe(one.stream('calls').next())
  expect(new World({ seed: 4 }).stream('calls').next()).not.toBe(
    new World({ seed: 3 }).stream('calls').next(),
  )
})

function scene() {
  const world = new World({ seed: 1 })
  const seen: string[] = []
  return { world, process: new SimulatedProcess(world, 'p', 0), seen }
}
