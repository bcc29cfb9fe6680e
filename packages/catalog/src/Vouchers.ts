/** Vouchers of an event: codes that unlock tiers and house seats. */
import {
  type CursorInvalid,
  type EventCancelled,
  EventInvalid,
  EventNotFound,
  type InvalidField,
  VoucherExists,
  VoucherNotFound
} from "@onsale/contracts/catalog/CatalogErrors"
import type { NewVouchers, Voucher, VoucherPage, VoucherQuery } from "@onsale/contracts/catalog/Voucher"
import { type EventId, makeUuidV7, VoucherId } from "@onsale/contracts/Ids"
import { voucherText } from "@onsale/contracts/inventory/CustomerText"
import { keyOf } from "@onsale/platform/Digest"
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { SqlClient } from "effect/sql"
import { settled } from "./CatalogSql.ts"
import { EventStore } from "./EventStore.ts"
import * as PageCursor from "./PageCursor.ts"
import { SaleChanges } from "./SaleChanges.ts"
import * as SaleRows from "./SaleRows.ts"
import type { StoredBlock, StoredEvent, StoredVoucher } from "./StoredEvent.ts"

/** Each layout of the event has them all. */
const maxVouchers = 20_000
const defaultPageSize = 100
const maxPageSize = 1_000

/** Without 0 and O, 1, I and L, U and V: a code is read from paper and over the telephone. */
export const alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
/** 13 of 30 letters are 63 bits: nobody finds one of 20,000 codes by trying. */
export const codeLength = 13
/** Bytes below this give each letter the same chance. */
const fair = 256 - (256 % alphabet.length)

const randomCode = Effect.gen(function* () {
  const random = yield* SecureRandom.SecureRandom
  let code = ""
  while (code.length < codeLength) {
    for (const byte of yield* random.randomBytes(codeLength - code.length))
      if (byte < fair) code += alphabet[byte % alphabet.length]
  }
  return code
})

const iso = (ms: number): string => DateTime.formatIso(DateTime.makeUnsafe(ms))

const toVoucher = (voucher: StoredVoucher): Voucher => {
  const { blocks, code, fromMs, id, maxTickets, tiers, untilMs } = voucher
  return {
    id,
    code,
    tiers,
    blocks,
    maxTickets,
    ...(fromMs === null ? {} : { from: iso(fromMs) }),
    ...(untilMs === null ? {} : { until: iso(untilMs) })
  }
}

/** Milliseconds since 1970 of an instant that was decoded. */
const millis = (instant: string | undefined): number | null =>
  instant === undefined ? null : DateTime.toEpochMillis(DateTime.makeUnsafe(instant))

/** What is wrong with a request by itself. */
const ownProblems = ({ codes = [], from, until }: NewVouchers, nowMs: number) => {
  const problems: Array<InvalidField> = []
  const seen = new Map<string, number>()
  codes.forEach((code, i) => {
    const other = seen.get(voucherText(code))
    if (other === undefined) seen.set(voucherText(code), i)
    else problems.push({ path: `/codes/${i}`, message: `the same code as /codes/${other}` })
  })
  const untilMs = millis(until)
  const fromMs = millis(from)
  if (untilMs !== null && untilMs <= nowMs) problems.push({ path: "/until", message: "that is over already" })
  else if (untilMs !== null && fromMs !== null && untilMs <= fromMs)
    problems.push({ path: "/until", message: "the vouchers would end before they begin" })
  return problems
}

/** What the event does not have, or has too much of. */
const eventProblems = (
  event: StoredEvent,
  blocks: ReadonlyArray<StoredBlock>,
  known: number,
  request: NewVouchers
) => {
  const problems: Array<InvalidField> = []
  request.tiers?.forEach((tier, i) => {
    if (!event.tiers.some(({ id }) => id === tier))
      problems.push({ path: `/tiers/${i}`, message: "the event has no such tier" })
  })
  request.blocks?.forEach((block, i) => {
    if (!blocks.some(({ id }) => id === block))
      problems.push({ path: `/blocks/${i}`, message: "the event has no such block" })
  })
  if (known + (request.codes?.length ?? request.count ?? 0) > maxVouchers) {
    problems.push({
      path: request.codes === undefined ? "/count" : "/codes",
      message: `an event has at most ${maxVouchers} vouchers, and this one has ${known}`
    })
  }
  return problems
}

const refuse = (problems: ReadonlyArray<InvalidField>): Effect.Effect<void, EventInvalid> =>
  problems.length === 0 ? Effect.void : Effect.fail(new EventInvalid({ problems }))

export class Vouchers extends Context.Service<
  Vouchers,
  {
    /** All of them or none. `VoucherExists` where the event has one of the codes. */
    readonly create: (
      eventId: EventId,
      request: NewVouchers
    ) => Effect.Effect<ReadonlyArray<Voucher>, EventNotFound | EventCancelled | EventInvalid | VoucherExists>
    /** In the order of their creation. */
    readonly page: (
      eventId: EventId,
      query: VoucherQuery
    ) => Effect.Effect<VoucherPage, EventNotFound | CursorInvalid>
    /** It unlocks nothing from now on; what was held with it stays held. */
    readonly remove: (
      eventId: EventId,
      voucherId: VoucherId
    ) => Effect.Effect<void, EventNotFound | EventCancelled | VoucherNotFound>
  }
>()("@onsale/catalog/Vouchers") {
  static readonly layer = Layer.effect(
    Vouchers,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const random = yield* SecureRandom.SecureRandom
      const events = yield* EventStore
      const changes = yield* SaleChanges
      const findBlocks = SaleRows.blocks(sql)
      const findPage = SaleRows.voucherPage(sql)

      const stored = Effect.fnUntraced(function* (request: NewVouchers, nowMs: number) {
        const codes =
          request.codes ??
          (yield* Effect.forEach(Array.from({ length: request.count ?? 0 }), () =>
            Effect.provideService(randomCode, SecureRandom.SecureRandom, random)
          ))
        return codes.map(
          (code): StoredVoucher => ({
            id: VoucherId.make(makeUuidV7(nowMs)),
            code: code.trim(),
            key: keyOf(voucherText(code)),
            tiers: [...new Set(request.tiers)],
            blocks: [...new Set(request.blocks)],
            maxTickets: request.maxTickets,
            fromMs: millis(request.from),
            untilMs: millis(request.until)
          })
        )
      })

      return Vouchers.of({
        create: Effect.fn("Vouchers.create")(function* (eventId, request) {
          const nowMs = yield* Clock.currentTimeMillis
          if ((yield* events.find(eventId)) === null) return yield* new EventNotFound({ eventId })
          yield* refuse(ownProblems(request, nowMs))
          const vouchers = yield* stored(request, nowMs)
          const keys = vouchers.map(({ key }) => key)
          yield* changes.change(
            eventId,
            Effect.fnUntraced(function* (event, atMs) {
              const known = yield* SaleRows.countVouchers(sql, eventId)
              yield* refuse(eventProblems(event, yield* findBlocks(eventId), known, request))
              const codes = yield* SaleRows.knownCodes(sql, eventId, keys)
              if (codes.length > 0) return yield* new VoucherExists({ codes })
              yield* SaleRows.insertVouchers(sql, eventId, vouchers, atMs)
              return true
            })
          )
          return vouchers.map(toVoucher)
        }),

        page: Effect.fn("Vouchers.page")(function* (eventId, query) {
          if ((yield* events.find(eventId)) === null) return yield* new EventNotFound({ eventId })
          const limit = Math.max(1, Math.min(query.limit ?? defaultPageSize, maxPageSize))
          const after = query.cursor === undefined ? PageCursor.first : yield* PageCursor.decode(query.cursor)
          const found = yield* settled(findPage({ eventId, ...after, limit: limit + 1 }))
          const last = found.length > limit ? found[limit - 1] : undefined
          return {
            vouchers: found.slice(0, limit).map(toVoucher),
            nextCursor: last === undefined ? null : PageCursor.encode(last)
          }
        }),

        remove: Effect.fn("Vouchers.remove")((eventId, voucherId) =>
          changes.change(
            eventId,
            Effect.fnUntraced(function* () {
              return (yield* SaleRows.deleteVoucher(sql, eventId, voucherId))
                ? true
                : yield* new VoucherNotFound({ voucherId })
            })
          )
        )
      })
    })
  )
}
