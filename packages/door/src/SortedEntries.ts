/** Entries of one length in one stretch of bytes, sorted, each beginning with the eight bytes that it is found by. */

const keyBytes = 8

export class SortedEntries {
  private readonly bytes: Uint8Array
  private readonly size: number
  readonly length: number

  /** Throws a `RangeError` where the bytes are not whole entries. */
  constructor(bytes: Uint8Array, size: number) {
    if (bytes.length % size !== 0) throw new RangeError(`${bytes.length} bytes are no entries of ${size}`)
    this.bytes = bytes
    this.size = size
    this.length = bytes.length / size
  }

  /** The entry with that key, whole; by halves. */
  find(key: Uint8Array): Uint8Array | undefined {
    let low = 0
    let high = this.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const order = this.compare(middle, key)
      if (order === 0) return this.bytes.subarray(middle * this.size, (middle + 1) * this.size)
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  private compare(place: number, key: Uint8Array): number {
    const at = place * this.size
    for (let i = 0; i < keyBytes; i++) {
      const difference = (this.bytes[at + i] ?? 0) - (key[i] ?? 0)
      if (difference !== 0) return difference
    }
    return 0
  }
}
