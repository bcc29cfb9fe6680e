/**
 * Whether a process' memory grows. Resident memory is a saw: a heap fills until it is collected. So its floors are looked at,
 * the least of each quarter of a minute, in the second half of a run, when caches are full; and a slope counts only where it is
 * more than what they scatter by.
 */
import type { Look } from "./Watch.ts"

export interface MemoryTrend {
  /** By least squares; MiB a minute. */
  readonly slope: number
  /** The slope's standard error; NaN where there are too few floors to tell. */
  readonly error: number
}

const bucketMs = 15_000
/** As many standard errors from nothing are no chance: one in twenty. */
const errors = 2

export const of = (looks: ReadonlyArray<Look>, name: string): MemoryTrend => {
  const floors = new Map<number, { x: number; y: number }>()
  for (const look of looks.slice(looks.length >> 1)) {
    const y = look.memoryMiB[name] ?? Number.NaN
    const bucket = Math.floor(look.atMs / bucketMs)
    const floor = floors.get(bucket)
    if (Number.isFinite(y) && (floor === undefined || y < floor.y))
      floors.set(bucket, { x: look.atMs / 60e3, y })
  }
  const points = [...floors.values()]
  const count = points.length
  const x = points.reduce((sum, point) => sum + point.x, 0) / count
  const y = points.reduce((sum, point) => sum + point.y, 0) / count
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  if (count < 2 || spread === 0) return { slope: 0, error: Number.NaN }
  const slope = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread
  const rest = points.reduce((sum, point) => sum + (point.y - y - slope * (point.x - x)) ** 2, 0)
  return { slope, error: count < 3 ? Number.NaN : Math.sqrt(rest / (count - 2) / spread) }
}

/** By more than `mib` a minute, and by more than chance; also where there are too few floors to tell. */
export const grows = ({ error, slope }: MemoryTrend, mib: number): boolean =>
  slope > mib && (Number.isNaN(error) || slope > errors * error)

/** By more than `mib` a minute, but no more than by chance: a longer run would tell. */
export const isUnclear = (trend: MemoryTrend, mib: number): boolean => trend.slope > mib && !grows(trend, mib)
