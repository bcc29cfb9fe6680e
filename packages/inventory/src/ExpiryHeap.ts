/**
 * A binary heap of holds by expiry. Entries are not removed from the middle: a hold that was released,
 * sold or given more time leaves an entry behind, which is dropped when it comes up, or when more than
 * half of the entries are such.
 */
export interface Expiring {
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
  readonly gone: boolean
}

/** Below it, what is left behind is not worth a look. */
const smallest = 1024

export class ExpiryHeap<A extends Expiring> {
  /** The size at which to look for what was left behind: twice of what was found to be alive. */
  private limit = smallest
  private readonly times: Array<number> = []
  private readonly items: Array<A> = []

  get size(): number {
    return this.items.length
  }

  /** Call again whenever an item's expiry has changed. */
  push(item: A): void {
    if (this.items.length >= this.limit) this.compact()
    const { times, items } = this
    let at = items.length
    const time = item.expiresAtMs
    times.push(time)
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (times[parent]! <= time) break
      times[at] = times[parent]!
      items[at] = items[parent]!
      at = parent
    }
    times[at] = time
    items[at] = item
  }

  /** The next item that expired at or before `nowMs`, taken out; undefined when there is none. */
  popExpired(nowMs: number): A | undefined {
    while (this.items.length > 0 && this.times[0]! <= nowMs) {
      const entryTime = this.times[0]!
      const item = this.pop()
      // An older entry of an item that has a newer one, or whose time was put off.
      if (!item.gone && item.expiresAtMs === entryTime) return item
    }
    return undefined
  }

  /** When the next item may expire, in milliseconds since 1970; Infinity when there is none. */
  nextMs(): number {
    while (this.items.length > 0 && (this.items[0]!.gone || this.items[0]!.expiresAtMs !== this.times[0]!))
      this.pop()
    return this.items.length === 0 ? Number.POSITIVE_INFINITY : this.times[0]!
  }

  private compact(): void {
    const alive = new Set<A>()
    this.items.forEach((item, at) => {
      if (!item.gone && item.expiresAtMs === this.times[at]) alive.add(item)
    })
    this.items.length = 0
    this.times.length = 0
    this.limit = Math.max(smallest, 2 * alive.size)
    // In the order of their times each one stays where it is put: no sifting.
    for (const item of Array.from(alive).sort((a, b) => a.expiresAtMs - b.expiresAtMs)) {
      this.items.push(item)
      this.times.push(item.expiresAtMs)
    }
  }

  private pop(): A {
    const { times, items } = this
    const top = items[0]!
    const lastTime = times.pop()!
    const lastItem = items.pop()!
    const length = items.length
    if (length > 0) {
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= length) break
        if (child + 1 < length && times[child + 1]! < times[child]!) child++
        if (times[child]! >= lastTime) break
        times[at] = times[child]!
        items[at] = items[child]!
        at = child
      }
      times[at] = lastTime
      items[at] = lastItem
    }
    return top
  }
}
