/**
 * What one client may still do, as this process knows it: tokens that come back at a steady rate. Pure; asked once
 * a request, so it allocates nothing.
 */

/** So many requests in so long, at once or spread. */
export interface Limit {
  readonly burst: number
  readonly windowMs: number
}

export interface Bucket {
  /** Below zero where others have let in more than there was. */
  tokens: number
  atMs: number
  /** Taken here, and not told to the others yet. */
  untold: number
}

export const full = (limit: Limit, nowMs: number): Bucket => ({ tokens: limit.burst, atMs: nowMs, untold: 0 })

/** Brings it up to now. A clock that was set back gives nothing. */
export const refill = (bucket: Bucket, limit: Limit, nowMs: number): void => {
  const passedMs = nowMs - bucket.atMs
  bucket.atMs = nowMs
  if (passedMs <= 0) return
  bucket.tokens += (passedMs * limit.burst) / limit.windowMs
  if (bucket.tokens < limit.burst) return
  // Whatever the others have not heard of is over by now.
  bucket.tokens = limit.burst
  bucket.untold = 0
}

/** Takes a token, where there is one. */
export const take = (bucket: Bucket, limit: Limit, nowMs: number): boolean => {
  refill(bucket, limit, nowMs)
  if (bucket.tokens < 1) return false
  bucket.tokens--
  bucket.untold++
  return true
}

/** Milliseconds until there is a token. */
export const waitMs = ({ tokens }: Bucket, limit: Limit): number =>
  Math.max(0, Math.ceil(((1 - tokens) * limit.windowMs) / limit.burst))

/**
 * What all processes together have left of it, after what was told: never more than is left here, and never so
 * little that a client waits longer than two windows.
 */
export const learn = (bucket: Bucket, limit: Limit, shared: number): void => {
  bucket.tokens = Math.max(-limit.burst, Math.min(bucket.tokens, shared - bucket.untold))
}
