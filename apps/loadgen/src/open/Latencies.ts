/** Histograms of latencies (HdrHistogram): of one worker, sent as text and added to others' without loss. */
import * as hdr from "hdr-histogram-js"

/** Percentiles are right to 1%. */
const digits = 2
/** Above this all count as this. */
const longestMicros = 120e6

export interface Latencies {
  readonly record: (ms: number) => void
  readonly count: () => number
  /** Milliseconds; 0 where nothing was recorded. */
  readonly percentile: (percent: number) => number
  readonly add: (encoded: string) => void
  readonly encode: () => string
  readonly clear: () => void
}

export const make = (): Latencies => {
  const histogram = hdr.build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: longestMicros,
    numberOfSignificantValueDigits: digits,
    useWebAssembly: false
  })
  return {
    record: (ms) => histogram.recordValue(Math.min(longestMicros, Math.max(1, Math.round(ms * 1e3)))),
    count: () => histogram.totalCount,
    percentile: (percent) => (histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percent) / 1e3),
    add: (encoded) => histogram.add(hdr.decodeFromCompressedBase64(encoded, 32, false)),
    encode: () => hdr.encodeIntoCompressedBase64(histogram),
    clear: () => histogram.reset()
  }
}
