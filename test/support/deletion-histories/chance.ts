import { Random } from '../../chaos/random.ts'

/** Seeded choices: one seed gives one history. */
export class Chance extends Random {
  happens(probability: number): boolean {
    return this.next() < probability
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** From `least` to `most`, small values as likely as large ones. */
  spread(least: number, most: number): number {
    return Math.exp(Math.log(least) + this.next() * Math.log(most / least))
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
