/**
 * Compresses beside the thread that answers, where it pays: a text is compressed once for all who read it, and a
 * resource that changes all the time is not compressed each time.
 */
import { Clock, Context, Effect, Layer, Metric } from "effect"
import { brotliCompress, constants, gzip } from "node:zlib"

export type Encoding = "br" | "gzip"

/** When a resource may be compressed again, by encoding. One for all its versions. */
export interface Turns {
  readonly restUntilMs: Record<Encoding, number>
  /** True for what stays as it is: then it is worth some more time. */
  readonly lasting: boolean
}

/** Threads of Node's pool that are taken at most: names are resolved and files are read by the others. */
const atOnce = 2
/** Less fits into a packet or two as it is. */
const leastBytes = 1_024
/** Of the time that it took the last time, wait of the threads and all, before a resource is compressed again. */
const restTimes = 8
/** And at least so long: those who read the versions between get them plain. */
const leastRestMs = 100

/**
 * 206 kB of availability: 0.3 ms to 15.5 kB, and 0.5 ms to 12.4 kB with Brotli; what more effort saves is a fifth at
 * the most, for three to five times the time.
 */
const quick = { gzip: 3, br: 1 }
const thorough = { gzip: 6, br: 5 }

const compressed = Metric.counter("onsale_compressed_total", {
  description: "Texts that were compressed, once for all who read them, by encoding",
  incremental: true
})
const counters = {
  br: Metric.withAttributes(compressed, { encoding: "br" }),
  gzip: Metric.withAttributes(compressed, { encoding: "gzip" })
}

const run = (
  encoding: Encoding,
  effort: Readonly<Record<Encoding, number>>,
  bytes: Uint8Array,
  done: (error: Error | null, result: Buffer) => void
): void => {
  if (encoding === "gzip") return gzip(bytes, { level: effort.gzip }, done)
  brotliCompress(
    bytes,
    {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: effort.br,
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength
      }
    },
    done
  )
}

export const turns = (lasting: boolean): Turns => ({
  restUntilMs: { br: Number.NEGATIVE_INFINITY, gzip: Number.NEGATIVE_INFINITY },
  lasting
})

export class Compressor extends Context.Service<
  Compressor,
  {
    /**
     * Calls back later with the compressed text, or null where it became no smaller; false where it is not done now,
     * and nothing will be called.
     */
    readonly start: (
      encoding: Encoding,
      turns: Turns,
      bytes: Uint8Array,
      done: (result: Buffer | null) => void
    ) => boolean
  }
>()("@onsale/gateway/Compressor") {
  static readonly layer = Layer.effect(
    Compressor,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const context = yield* Effect.context<never>()
      const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
      let running = 0

      return Compressor.of({
        start: (encoding, { lasting, restUntilMs }, bytes, done) => {
          const begunMs = nowMs()
          if (bytes.byteLength < leastBytes || running === atOnce || begunMs < restUntilMs[encoding])
            return false
          running++
          // Nobody else begins while this one runs.
          restUntilMs[encoding] = Number.POSITIVE_INFINITY
          run(encoding, lasting ? thorough : quick, bytes, (error, result) => {
            running--
            const endedMs = nowMs()
            restUntilMs[encoding] = endedMs + Math.max(leastRestMs, restTimes * (endedMs - begunMs))
            counters[encoding].updateUnsafe(1, context)
            // It fails for want of memory only: who waits gets the plain text.
            done(error === null && result.byteLength < bytes.byteLength ? result : null)
          })
          return true
        }
      })
    })
  )
}
