import { Random } from '../../chaos/random.ts'

/** Random choices from a seed. The same seed always gives the same history. */
export class Chance extends Random {
  happens(probability: number): boolean {
    return this.next() < probability
  }

  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** Returns a value from `min` to `max`. Small values are as likely as large values. */
  spread(min: number, max: number): number {
    return Math.exp(Math.log(min) + this.next() * Math.log(max / min))
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('there is nothing to pick from')
    return item
  }

  sample<Item>(items: readonly Item[], count: number): Item[] {
    return this.shuffled(items).slice(0, count)
  }
}
