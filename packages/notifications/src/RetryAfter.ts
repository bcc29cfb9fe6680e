/** The header by which a server says when to come again (RFC 9110, 10.2.3). */
import { Duration, Option } from "effect"

/** Seconds, or a date; none where the header says neither. Whoever waits for it bounds it. */
export const parse = (header: string | undefined, nowMs: number): Option.Option<Duration.Duration> => {
  if (header === undefined) return Option.none()
  if (/^\d{1,9}$/.test(header.trim())) return Option.some(Duration.seconds(Number(header)))
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? Option.none() : Option.some(Duration.millis(Math.max(0, atMs - nowMs)))
}
