import { describe, expect, it } from 'vitest'
import { SimulatorClock } from '../../packages/simulator/src/clock.ts'

const from = new Date('2026-11-23T09:00:00Z')

function standing() {
  const clock = new SimulatorClock({ speed: 0, from })
  const fired: string[] = []
  const set = (name: string, delayMs: number) =>
    clock.setTimeout(() => fired.push(`${name} ${clock.now() - from.getTime()}`), delayMs)
  return { clock, fired, set }
}

describe('a stopped clock', () => {
  it('a stopped clock moves only by its steps', async () => {
    const { clock } = standing()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([clock.now(), clock.monotonic()]).toEqual([from.getTime(), 0])
    await clock.step(1500)
    expect([clock.now(), clock.monotonic()]).toEqual([from.getTime() + 1500, 1500])
  })

  it('a stopped clock fires due timers in order, each at its time, and equal times in the order of setting', async () => {
    const { clock, fired, set } = standing()
    set('late', 300)
    set('early', 100)
    set('early too', 100)
    set('beyond', 301)
    await clock.step(300)
    expect(fired).toEqual(['early 100', 'early too 100', 'late 300'])
    await clock.step(1)
    expect(fired.at(-1)).toBe('beyond 301')
  })

  it('a stopped clock fires timers that are set during the step', async () => {
    const { clock, fired, set } = standing()
    clock.setTimeout(() => set('second', 50), 100)
    await clock.step(200)
    expect(fired).toEqual(['second 150'])
  })

  it('a stopped clock does not fire cancelled timers', async () => {
    const { clock, fired, set } = standing()
    const timers = Array.from({ length: 5000 }, (_, index) => set(String(index), 5000 - index))
    timers.forEach((timer, index) => {
      if (index % 1000 !== 0) timer.cancel()
    })
    await clock.step(5000)
    expect(fired).toEqual(['4000 1000', '3000 2000', '2000 3000', '1000 4000', '0 5000'])
  })

  it('a stopped clock waits for the work of a timer before its time advances', async () => {
    const { clock, fired, set } = standing()
    let work: Promise<void> = Promise.resolve()
    clock.settled = () => work
    clock.setTimeout(() => {
      work = new Promise<void>((resolve) => setTimeout(resolve, 10)).then(() => void set('follows', 50))
    }, 100)
    set('other', 200)
    await clock.step(300)
    expect(fired).toEqual(['follows 150', 'other 200'])
  })

  it('a stopped clock runs steps one after another', async () => {
    const { clock, fired, set } = standing()
    set('first', 100)
    set('second', 200)
    await Promise.all([clock.step(100), clock.step(100)])
    expect(fired).toEqual(['first 100', 'second 200'])
    expect(clock.monotonic()).toBe(200)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('a stopped clock refuses a step of %d', async (ms) => {
    await expect(standing().clock.step(ms)).rejects.toThrow(RangeError)
  })
})

describe('a running clock', () => {
  it('a running clock follows real time by default', async () => {
    const clock = new SimulatorClock()
    const before = Date.now()
    const now = clock.now()
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(Date.now())
  })

  it('a running clock runs faster than real time by its speed', async () => {
    const clock = new SimulatorClock({ speed: 100_000, from })
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 600_000))
    expect(clock.monotonic()).toBeGreaterThanOrEqual(600_000)
  })

  it('a running clock fires timers that fall due in a step at once, and later timers at their time', async () => {
    const clock = new SimulatorClock({ from })
    const fired: string[] = []
    clock.setTimeout(() => fired.push('hour'), 3_600_000)
    await clock.step(3_600_000)
    expect(fired).toEqual(['hour'])
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 5))
  })

  it('a running clock keeps its time when its speed changes', async () => {
    const clock = new SimulatorClock({ speed: 0, from })
    await clock.step(1000)
    clock.speed = 1_000_000
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 60_000))
    clock.speed = 0
    const stood = clock.now()
    expect(stood).toBeGreaterThanOrEqual(from.getTime() + 1000)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(clock.now()).toBe(stood)
  })

  it('a running clock refuses an invalid speed', () => {
    expect(() => new SimulatorClock({ speed: -1 })).toThrow(RangeError)
  })
})
