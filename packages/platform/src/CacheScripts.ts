/**
 * The scripts of `SharedCache`. Each is one step that nobody comes between.
 *
 * A key holds a lease (`l` and its token) or a value (`v`, the epoch that it was read in, a line feed, the text). The
 * epoch of a cache stands in a key of its own: values of another one count as not there. It is a random text and no
 * number, so that one that was lost never comes back.
 */
import { Redis } from "effect/persistence"

export interface LookParams {
  readonly key: string
  readonly epochKey: string
  readonly token: string
  readonly leaseMs: number
  /** True to take the lease whatever is there. */
  readonly anew: boolean
}

/** `["hit", text]`, `["leased"]` where somebody else is reading, or `["granted", epoch]`: the caller reads. */
export const look = Redis.script(
  ({ anew, epochKey, key, leaseMs, token }: LookParams) => [key, epochKey, token, leaseMs, anew ? 1 : 0],
  {
    numberOfKeys: 2,
    lua: `
local epoch = redis.call('GET', KEYS[2]) or ''
local found = ARGV[3] == '0' and redis.call('GET', KEYS[1])
if found then
  if string.sub(found, 1, 1) == 'l' then return { 'leased' } end
  local ends = string.find(found, '\\n', 1, true)
  if string.sub(found, 2, ends - 1) == epoch then return { 'hit', string.sub(found, ends + 1) } end
end
redis.call('SET', KEYS[1], 'l' .. ARGV[1], 'PX', ARGV[2])
return { 'granted', epoch }`
  }
).withReturnType<ReadonlyArray<string>>()

export interface FillParams {
  readonly key: string
  readonly epochKey: string
  readonly token: string
  /** As the lease was granted in. */
  readonly epoch: string
  readonly text: string
  readonly ttlMs: number
}

/** 1 where the value was taken: the lease is still there, and so is its epoch. */
export const fill = Redis.script(
  ({ epoch, epochKey, key, text, token, ttlMs }: FillParams) => [key, epochKey, token, epoch, text, ttlMs],
  {
    numberOfKeys: 2,
    lua: `
if redis.call('GET', KEYS[1]) ~= 'l' .. ARGV[1] then return 0 end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], 'v' .. ARGV[2] .. '\\n' .. ARGV[3], 'PX', ARGV[4])
return 1`
  }
).withReturnType<number>()
