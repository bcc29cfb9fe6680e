/**
 * The keys of the event bus in Redis, and the Lua that must happen in one step. All keys of a topic carry it
 * as a hash tag, so that a cluster keeps them together.
 *
 * Reading is guarded by the lease: who has lost a partition while it was frozen takes nothing more of it.
 */
import { Effect } from "effect"
import { Redis } from "effect/persistence"

export const keys = (topic: string) => {
  const base = `bus:{${topic}}`
  return {
    /** Published to with the number of a partition that has got events. */
    news: `${base}:news`,
    partition: (partition: number) => `${base}:p${partition}`,
    /** There as long as Redis has forgotten nothing that this publisher gave it. */
    session: (session: string) => `${base}:session:${session}`,
    members: (group: string) => `${base}:members:${group}`,
    lease: (group: string, partition: number) => `${base}:lease:${group}:${partition}`,
    /** Attempts at events whose consumer has died before, by partition and id. */
    begun: (group: string) => `${base}:begun:${group}`,
    dead: (group: string) => `${base}:dead:${group}`
  }
}

/**
 * Runs a script to its end, which a time limit of the connection sets. The library loads a script once for all
 * who wait for it, and who is interrupted while he loads it would interrupt the others.
 */
export const evaluate =
  <Config extends { readonly params: ReadonlyArray<unknown>; readonly result: unknown }>(
    redis: Redis.Redis["Service"],
    script: Redis.Script<Config>
  ) =>
  (...params: Config["params"]): Effect.Effect<Config["result"], Redis.RedisError> =>
    Effect.uninterruptible(redis.eval(script)(...params))

/** A publisher that was silent for longer has lost its session, and opens another. */
export const sessionMs = 3_600_000

/** Where in a partition every group has come to: the oldest id that some group may still need. */
const lowest = `
  local function before(a, b)
    local am, as = string.match(a, '(%d+)-(%d+)')
    local bm, bs = string.match(b, '(%d+)-(%d+)')
    am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
    return am < bm or (am == bm and as < bs)
  end
  local function oldestNeeded(key)
    local low = false
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
      local at = {}
      for i = 1, #group, 2 do at[group[i]] = group[i + 1] end
      local needed = at['last-delivered-id'] .. '+'
      if at['pending'] > 0 then
        needed = redis.call('XPENDING', key, at['name'], '-', '+', 1)[1][1]
      end
      local id = string.gsub(needed, '%+', '')
      if not low or before(id, (string.gsub(low, '%+', ''))) then low = needed end
    end
    return low
  end
`

/**
 * Appends events to a partition, all or none. Answers the id of the last, false where a group is too far
 * behind, or "lost" where the publisher's session is gone.
 *
 * What is settled up to the id of `settled.upTo` goes once it is `settled.keepMs` old, in whole nodes of the stream,
 * as that costs next to nothing: without a group nothing does. At the bound all that every group has settled makes
 * room; where there is no group yet, the oldest does.
 */
export const publish = Redis.script(
  (
    partition: string,
    session: string,
    news: string,
    number: number,
    backlog: number,
    settled: { readonly upTo: string; readonly keepMs: number },
    events: ReadonlyArray<string>
  ) => [partition, session, news, number, backlog, settled.upTo, settled.keepMs, ...events],
  {
    numberOfKeys: 3,
    lua: `${lowest}
      if redis.call('PEXPIRE', KEYS[2], ${sessionMs}) == 0 then return 'lost' end
      local backlog = tonumber(ARGV[2])
      if ARGV[3] ~= '' and redis.call('EXISTS', KEYS[1]) == 1 then
        local low = oldestNeeded(KEYS[1])
        if low then
          local time = redis.call('TIME')
          local upTo = string.format('%.0f-0', time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[4]))
          -- Groups that the publisher has seen, and one that has come since and reads what is left.
          for _, id in ipairs({ ARGV[3], (string.gsub(low, '%+', '')) }) do
            if before(id, upTo) then upTo = id end
          end
          redis.call('XTRIM', KEYS[1], 'MINID', '~', upTo)
        end
      end
      if redis.call('XLEN', KEYS[1]) >= backlog then
        local low = oldestNeeded(KEYS[1])
        if low then
          redis.call('XTRIM', KEYS[1], 'MINID', (string.gsub(low, '%+', '')))
        else
          redis.call('XTRIM', KEYS[1], 'MAXLEN', math.floor(backlog / 2))
        end
        if redis.call('XLEN', KEYS[1]) >= backlog then return false end
      end
      local id
      for i = 5, #ARGV do id = redis.call('XADD', KEYS[1], '*', 'e', ARGV[i]) end
      redis.call('PUBLISH', KEYS[3], ARGV[1])
      return id
    `
  }
).withReturnType<string | null>()

/**
 * 1 where every group of the partition has settled the event of that id and those before it, 0 where not, -1 where
 * the event is gone; then the names of the groups.
 */
export const settled = Redis.script((partition: string, id: string) => [partition, id], {
  numberOfKeys: 1,
  lua: `${lowest}
    if redis.call('EXISTS', KEYS[1]) == 0 then return { -1 } end
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' and before(info[i + 1], ARGV[1]) then return { -1 } end
    end
    local answer = { 1 }
    local low = oldestNeeded(KEYS[1])
    if low then
      local id = string.gsub(low, '%+', '')
      -- A group without anything open has settled what it was given last, too.
      if not (before(ARGV[1], id) or (id == ARGV[1] and id ~= low)) then answer[1] = 0 end
    end
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
      for i = 1, #group, 2 do
        if group[i] == 'name' then answer[#answer + 1] = group[i + 1] end
      end
    end
    return answer
  `
}).withReturnType<readonly [state: number, ...groups: ReadonlyArray<string>]>()

/** Says that a consumer of the group is alive, and answers all that are. */
export const meet = Redis.script((members: string, id: string, ttlMs: number) => [members, id, ttlMs], {
  numberOfKeys: 1,
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return redis.call('ZRANGE', KEYS[1], 0, -1)
  `
}).withReturnType<ReadonlyArray<string>>()

/** Takes or renews leases; answers 1 for each that is the consumer's now, 0 for the others. */
export const lease = Redis.script(
  (leases: ReadonlyArray<string>, id: string, ttlMs: number) => [...leases, id, ttlMs],
  {
    numberOfKeys: (leases) => leases.length,
    lua: `
      local mine = {}
      for i, key in ipairs(KEYS) do
        local owner = redis.call('GET', key)
        if not owner or owner == ARGV[1] then
          redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
          mine[i] = 1
        else
          mine[i] = 0
        end
      end
      return mine
    `
  }
).withReturnType<ReadonlyArray<number>>()

/** Gives a lease back, if it is the consumer's. */
export const release = Redis.script((leaseKey: string, id: string) => [leaseKey, id], {
  numberOfKeys: 1,
  lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`
}).withReturnType<number>()

export type StoredEntry = readonly [id: string, fields: ReadonlyArray<string>]

/** Names and values, as Redis lists them. */
export const fieldsOf = (fields: ReadonlyArray<string>): Map<string, string> => {
  const found = new Map<string, string>()
  for (let i = 0; i + 1 < fields.length; i += 2) found.set(fields[i] ?? "", fields[i + 1] ?? "")
  return found
}

/** New events for the group, oldest first; false where the lease is another's. Makes the group if need be. */
export const read = Redis.script(
  (partition: string, leaseKey: string, id: string, group: string, count: number) => [
    partition,
    leaseKey,
    id,
    group,
    count
  ],
  {
    numberOfKeys: 2,
    lua: `
      if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
      local function take()
        return redis.pcall('XREADGROUP', 'GROUP', ARGV[2], ARGV[1], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
      end
      local got = take()
      if got and got.err and string.find(got.err, 'NOGROUP', 1, true) then
        redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[2], '0', 'MKSTREAM')
        got = take()
      end
      if got and got.err then return got end
      if not got then return {} end
      return got[1][2]
    `
  }
).withReturnType<ReadonlyArray<StoredEntry> | null>()

/**
 * What the group was given and has not settled, oldest first, from an id on; makes the consumer its owner.
 * Answers the id to go on from (0-0 at the end), the events, and how often each was begun since its
 * consumer first died; false where the lease is another's. Consumers that own nothing are forgotten at the end.
 */
export const reclaim = Redis.script(
  (
    partition: string,
    leaseKey: string,
    begun: string,
    id: string,
    group: string,
    from: string,
    count: number
  ) => [partition, leaseKey, begun, id, group, from, count],
  {
    numberOfKeys: 3,
    lua: `
      if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
      local got = redis.pcall('XAUTOCLAIM', KEYS[1], ARGV[2], ARGV[1], 0, ARGV[3], 'COUNT', ARGV[4])
      if got.err then
        if string.find(got.err, 'NOGROUP', 1, true) then return { '0-0', {}, {} } end
        return got
      end
      local begun = {}
      for i, entry in ipairs(got[2]) do
        begun[i] = tonumber(redis.call('HGET', KEYS[3], KEYS[1] .. ' ' .. entry[1]) or '0')
      end
      if got[1] == '0-0' then
        for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[2])) do
          local at = {}
          for i = 1, #consumer, 2 do at[consumer[i]] = consumer[i + 1] end
          if at['pending'] == 0 and at['name'] ~= ARGV[1] then
            redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[2], at['name'])
          end
        end
      end
      return { got[1], got[2], begun }
    `
  }
).withReturnType<
  readonly [next: string, entries: ReadonlyArray<StoredEntry>, begun: ReadonlyArray<number>] | null
>()

/** Makes an event a dead letter and settles it; 0 where there are too many of them, 1 where it is done. */
export const bury = Redis.script(
  (
    partition: string,
    dead: string,
    letter: {
      readonly group: string
      readonly id: string
      readonly most: number
      readonly event: string
      readonly attempts: number
      readonly error: string
      readonly diedAtMs: number
    }
  ) => [
    partition,
    dead,
    letter.group,
    letter.id,
    letter.most,
    letter.event,
    letter.attempts,
    letter.error,
    letter.diedAtMs
  ],
  {
    numberOfKeys: 2,
    lua: `
      if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[3]) then return 0 end
      -- Not where it was settled before: the answer to that may have been lost.
      if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 1 then
        redis.call('XADD', KEYS[2], '*', 'e', ARGV[4], 'attempts', ARGV[5], 'error', ARGV[6], 'diedAtMs', ARGV[7])
      end
      return 1
    `
  }
).withReturnType<number>()

/** Appends a dead letter to its partition again, for its group alone, and takes it off the dead ones. */
export const revive = Redis.script(
  (
    partition: string,
    dead: string,
    news: string,
    id: string,
    event: string,
    group: string,
    number: number
  ) => [partition, dead, news, id, event, group, number],
  {
    numberOfKeys: 3,
    lua: `
      if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
      redis.call('XADD', KEYS[1], '*', 'e', ARGV[2], 'for', ARGV[3])
      redis.call('PUBLISH', KEYS[3], ARGV[4])
      return 1
    `
  }
).withReturnType<number>()
