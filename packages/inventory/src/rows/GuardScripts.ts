/**
 * The scripts of `RedisGuard`. Each is one step that nobody comes between. Times are given as parameters,
 * in milliseconds since 1970: what is written counts until the time that stands in it, and Redis' own expiry
 * of keys only clears away.
 *
 * Keys of one event, all in one slot of a cluster:
 * - `onsale:{event}:seats`, a hash, so that it is lost as a whole or not at all. A field a seat: `until state
 *   version command`. State `p`, pending: the command asks Postgres for it at this moment; `s`, settled: so
 *   it was by Postgres as of that version of the inventory, taken until then. What is of an older version
 *   never replaces what is of a newer one, so it is no matter in which order news arrive. `base`: the
 *   version of the seats that have no field; they are free. `epoch`: nothing counts without it. `coming`:
 *   the epoch that somebody is beginning, and since when.
 * - `onsale:{event}:answered`, a sorted set: commands that Postgres has an answer to, by their time; and,
 *   scored infinite, the epoch. Both keys must have it: where one was lost, the other is not complete.
 * - `onsale:{event}:lost:command`: a refusal that was given without Postgres.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { Redis } from "effect/persistence"

/** Longer than any event is looked at without a pause; what is lost then is lost speed. */
const lifeMs = 24 * 60 * 60_000

const seatsKey = (eventId: EventId) => `onsale:{${eventId}}:seats`
const answeredKey = (eventId: EventId) => `onsale:{${eventId}}:answered`
const lostKey = (eventId: EventId, cmd: string) => `onsale:{${eventId}}:lost:${cmd}`

/** `KEYS[1]` are the seats, `KEYS[2]` the answered. */
const shared = `
local function parse(value)
  if not value then return nil end
  local till, state, version, cmd = string.match(value, '^(%d+) (%a) (%d+) (.*)$')
  if not till then return nil end
  return { till = tonumber(till), state = state, version = tonumber(version), cmd = cmd }
end
local function put(seat, till, state, version, cmd)
  redis.call('HSET', KEYS[1], seat, string.format('%.0f %s %.0f %s', till, state, version, cmd))
end
local function news(base, seat, till, version, cmd)
  local before = parse(redis.call('HGET', KEYS[1], seat))
  if version < (before and before.version or base) then return end
  put(seat, till, 's', version, cmd == '' and before and before.cmd or cmd)
end
local function live()
  redis.call('PEXPIRE', KEYS[1], ${lifeMs})
  redis.call('PEXPIRE', KEYS[2], ${lifeMs})
end`

/** What is known of a seat: taken until then, or free where that is 0. */
export interface News {
  readonly seat: number
  readonly untilMs: number
  /** The command that has claimed it; empty where that is not known. */
  readonly cmd: string
}

const flat = (news: ReadonlyArray<News>) => news.flatMap(({ cmd, seat, untilMs }) => [seat, untilMs, cmd])

export interface BeginParams {
  readonly eventId: EventId
  readonly epoch: string
  readonly part:
    | { readonly _tag: "First"; readonly nowMs: number }
    | {
        readonly _tag: "Answered"
        readonly commands: ReadonlyArray<{ readonly cmd: string; readonly atMs: number }>
      }
    | { readonly _tag: "Seats"; readonly version: number; readonly news: ReadonlyArray<News> }
    | { readonly _tag: "Last"; readonly version: number }
}

const argsOf = (part: BeginParams["part"]): ReadonlyArray<string | number> => {
  switch (part._tag) {
    case "First":
      return [part.nowMs]
    case "Answered":
      return part.commands.flatMap(({ atMs, cmd }) => [atMs, cmd])
    case "Seats":
      return [part.version, ...flat(part.news)]
    case "Last":
      return [part.version]
  }
}

/**
 * The parts of a new epoch, in several calls because there may be much of it. Answers 0 where somebody else
 * has begun one since: that one counts, and knows all that this one would.
 */
export const begin = Redis.script(
  ({ eventId, epoch, part }: BeginParams) => [
    seatsKey(eventId),
    answeredKey(eventId),
    part._tag,
    epoch,
    ...argsOf(part)
  ],
  {
    numberOfKeys: 2,
    lua: `${shared}
local part, epoch = ARGV[1], ARGV[2]
if part == 'First' then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'coming', epoch .. ' ' .. ARGV[3])
else
  local coming = redis.call('HGET', KEYS[1], 'coming')
  if not coming or string.match(coming, '^%S+') ~= epoch then return 0 end
  if part == 'Answered' then
    for i = 3, #ARGV, 2 do redis.call('ZADD', KEYS[2], ARGV[i], ARGV[i + 1]) end
  elseif part == 'Seats' then
    for i = 4, #ARGV, 3 do news(0, ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[3]), ARGV[i + 2]) end
  else
    redis.call('HDEL', KEYS[1], 'coming')
    redis.call('HSET', KEYS[1], 'base', ARGV[3], 'epoch', epoch)
    redis.call('ZADD', KEYS[2], '+inf', epoch)
  end
end
live()
return 1`
  }
).withReturnType<number>()

/** Who begins an epoch and is not done after this time has died of it. */
const comingLimitMs = 5_000

export interface ClaimParams {
  readonly eventId: EventId
  readonly seats: ReadonlyArray<number>
  readonly cmd: string
  readonly fp: string
  readonly nowMs: number
  readonly pendingUntilMs: number
  readonly rememberMs: number
}

/**
 * All of the seats or none; of no seats it only tells whether the command was answered before. Answers one of
 * - `["emptied"]`: Redis knows nothing of the event, or not all
 * - `["coming"]`: not yet
 * - `["answered"]`: Postgres has an answer to it
 * - `["lost", refusal]`: it was refused before, without Postgres; the refusal as it was kept
 * - `["taken", seat, …]`: settled as somebody else's; kept as a refusal
 * - `["pending"]`: somebody is about to get one or not
 * - `["free"]`: they are the command's to ask Postgres for
 */
export const claim = Redis.script(
  (p: ClaimParams) => [
    seatsKey(p.eventId),
    answeredKey(p.eventId),
    lostKey(p.eventId, p.cmd),
    p.nowMs,
    p.pendingUntilMs,
    p.cmd,
    p.rememberMs,
    p.fp,
    ...p.seats
  ],
  {
    numberOfKeys: 3,
    lua: `${shared}
local now, till, cmd, remember, fp = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local known = redis.call('HMGET', KEYS[1], 'epoch', 'base', unpack(ARGV, 6))
if not known[1] or redis.call('ZSCORE', KEYS[2], known[1]) ~= 'inf' then
  local since = string.match(redis.call('HGET', KEYS[1], 'coming') or '', '(%d+)$')
  return { since and tonumber(since) > now - ${comingLimitMs} and 'coming' or 'emptied' }
end
local at = redis.call('ZSCORE', KEYS[2], cmd)
if at and tonumber(at) > now - remember then return { 'answered' } end
local lost = redis.call('GET', KEYS[3])
if lost and cjson.decode(lost).atMs > now - remember then return { 'lost', lost } end
local taken, pending, before = { 'taken' }, false, {}
for i = 6, #ARGV do
  local seat = parse(known[i - 3])
  before[i] = seat
  if seat and seat.till > now and seat.cmd ~= cmd then
    if seat.state == 's' then taken[#taken + 1] = ARGV[i] else pending = true end
  end
end
if #taken > 1 then
  if pending then return { 'pending' } end
  local seats = {}
  for i = 2, #taken do seats[i - 1] = tonumber(taken[i]) end
  redis.call('SET', KEYS[3], cjson.encode({ fp = fp, seats = seats, atMs = now }), 'PX', ARGV[4])
  return taken
end
if pending then return { 'pending' } end
for i = 6, #ARGV do put(ARGV[i], till, 'p', before[i] and before[i].version or tonumber(known[2]), cmd) end
return { 'free' }`
  }
).withReturnType<ReadonlyArray<string>>()

export interface TellParams {
  readonly eventId: EventId
  /** The commands that Postgres has answered. */
  readonly commands: ReadonlyArray<string>
  readonly nowMs: number
  readonly rememberMs: number
  /** The version of the inventory that the news are of. */
  readonly version: number
  readonly news: ReadonlyArray<News>
}

/** Postgres has answered commands, and these are the news. */
export const tell = Redis.script(
  (p: TellParams) => [
    seatsKey(p.eventId),
    answeredKey(p.eventId),
    p.nowMs,
    p.nowMs - p.rememberMs,
    p.version,
    p.commands.length,
    ...p.commands,
    ...flat(p.news)
  ],
  {
    numberOfKeys: 2,
    lua: `${shared}
local count = tonumber(ARGV[4])
for i = 5, 4 + count do redis.call('ZADD', KEYS[2], ARGV[1], ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])
local base, version = tonumber(redis.call('HGET', KEYS[1], 'base') or '0'), tonumber(ARGV[3])
for i = 5 + count, #ARGV, 3 do news(base, ARGV[i], tonumber(ARGV[i + 1]), version, ARGV[i + 2]) end
live()`
  }
)
