/**
 * Addresses that the typed routes have answered, and what was read there: the lean path in front of them answers
 * these, and needs not know what an address means.
 */
import { Context, Layer } from "effect"
import type { ReadProblem, Source } from "./EventReads.ts"

/** About five megabytes. The address that was learnt first makes room, and is learnt again. */
const capacity = 10_000
const maxLength = 256

export class ReadAddresses extends Context.Service<
  ReadAddresses,
  {
    /** To be called where a request to this address, as its client has written it, was answered from the source. */
    readonly learn: <E extends ReadProblem>(url: string, source: Source<E>) => void
    readonly find: (url: string) => Source<ReadProblem> | undefined
  }
>()("@onsale/gateway/ReadAddresses") {
  static readonly layer = Layer.sync(ReadAddresses, () => {
    const sources = new Map<string, Source<ReadProblem>>()
    return ReadAddresses.of({
      learn: (url, source) => {
        if (url.length > maxLength || sources.has(url)) return
        sources.set(url, source)
        if (sources.size <= capacity) return
        for (const first of sources.keys()) {
          sources.delete(first)
          break
        }
      },
      find: (url) => sources.get(url)
    })
  })
}
