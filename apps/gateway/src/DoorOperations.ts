/** What is done at the door, whoever carries the request: put together from booking, catalog and notifications. */
import { CheckIns } from "@onsale/booking/CheckIns"
import { Catalog } from "@onsale/catalog/Catalog"
import type { Scan } from "@onsale/contracts/booking/CheckIn"
import type { DoorBundle } from "@onsale/contracts/booking/DoorBundle"
import {
  CodeForged,
  CodeReplaced,
  DoorTooLarge,
  TicketRefunded,
  TicketUsed,
  WrongEvent
} from "@onsale/contracts/http/CheckInProblems"
import type { ConflictQuery, NewCheckIn, NewScans, ScanReport } from "@onsale/contracts/http/CheckInsApi"
import { CursorInvalid, EventNotFound, TicketNotFound } from "@onsale/contracts/http/Problems"
import { type EventId, makeUuidV7, TicketId } from "@onsale/contracts/Ids"
import { Notifications } from "@onsale/notifications/Notifications"
import * as Digest from "@onsale/platform/Digest"
import { Clock, Effect, Metric, Schema } from "effect"
import * as Admission from "./Admission.ts"
import * as DoorClock from "./DoorClock.ts"
import * as OrderViews from "./OrderView.ts"

const defaultPageSize = 100

/** A bundle of 250,000 tickets takes over two seconds of Postgres and some six megabytes; gates ask again. */
const bundlePlaces = 8

/** Each an upload of up to a thousand scans, half a megabyte. */
const uploadPlaces = 16

/** Codes of an upload that are checked at once, a tenth of a millisecond of a thread each. */
const verifyAtOnce = 8

const asked = Metric.counter("onsale_check_ins", {
  description: "Codes that were shown at gates that ask, by what they were told",
  incremental: true
})
const told = Metric.counter("onsale_scans_told", {
  description: "Scans that gates without network told of later, by what became of them",
  incremental: true
})

/** Counts an answer under `result`, whatever it is. */
const counted = (counter: Metric.Counter<number>, result: string, count = 1) =>
  Metric.update(Metric.withAttributes(counter, { result }), count)

const instant = (ms: number): string => new Date(ms).toISOString()
const instantOrNull = (ms: number | null) => (ms === null ? null : instant(ms))

const shown = (checkIn: { readonly gate: string; readonly atMs: number } | null) =>
  checkIn === null ? null : { gate: checkIn.gate, at: instant(checkIn.atMs) }

const Place = Schema.Tuple([
  Schema.Int,
  TicketId,
  Schema.String.check(Schema.isMaxLength(64)),
  Schema.String.check(Schema.isMaxLength(64))
])
const Cursor = Schema.StringFromBase64Url.pipe(Schema.decodeTo(Schema.fromJsonString(Place)))
const encodeCursor = Schema.encodeSync(Cursor)
const decodeCursor = Schema.decodeUnknownEffect(Cursor)

export const make = Effect.gen(function* () {
  const checkIns = yield* CheckIns
  const catalog = yield* Catalog
  const notifications = yield* Notifications
  const admitToBundle = yield* Admission.make({ places: bundlePlaces, retryAfterSeconds: 2 })
  const admitUpload = yield* Admission.make({ places: uploadPlaces, retryAfterSeconds: 2 })

  const eventOf = (eventId: EventId) => Effect.mapError(catalog.getAny(eventId), () => new EventNotFound({}))

  const tooLarge = ({ tickets }: { readonly tickets: number }) => Effect.fail(new DoorTooLarge({ tickets }))

  return {
    checkIn: Effect.fnUntraced(
      function* (scan: NewCheckIn) {
        const { eventId, ticketId, version } = yield* notifications
          .verify(scan.code)
          .pipe(Effect.mapError(() => new CodeForged({})))
        if (scan.eventId !== undefined && scan.eventId !== eventId) return yield* new WrongEvent({ eventId })
        const scanId = scan.scanId ?? makeUuidV7(yield* Clock.currentTimeMillis)
        const answer = yield* checkIns
          .checkIn({ ticketId, codeVersion: version, gate: scan.gate, scanId })
          .pipe(Effect.catchTag("BookingUnavailable", OrderViews.unsettled))
        switch (answer?._tag) {
          case undefined:
            return yield* new TicketNotFound({})
          case "Used":
            return yield* new TicketUsed({
              ticketId,
              at: instant(answer.checkIn.atMs),
              gate: answer.checkIn.gate
            })
          case "Refunded":
            return yield* new TicketRefunded({ ticketId })
          case "Replaced":
            return yield* new CodeReplaced({ ticketId })
          case "Admitted":
            return {
              result: "admitted" as const,
              ticketId,
              eventId,
              label: answer.label,
              holder: answer.holder,
              gate: answer.checkIn.gate,
              at: instant(answer.checkIn.atMs)
            }
        }
      },
      Effect.tap(({ result }) => counted(asked, result)),
      Effect.tapError(({ _tag }) => counted(asked, _tag))
    ),

    keys: Effect.map(notifications.doorKeys, (keys) => ({ keys })),

    /** `bundle` is made where `etag` is not the one that is asked about. */
    bundle: Effect.fnUntraced(
      function* (eventId: EventId, isKnown: (etag: string) => boolean = () => false) {
        const event = yield* eventOf(eventId)
        const facts: DoorBundle["event"] = {
          id: eventId,
          name: event.name,
          startsAt: event.startsAt,
          timeZone: event.timeZone,
          venue: { name: event.venue.name, location: event.venue.location }
        }
        const keys = yield* notifications.doorKeys
        const names = new Map(event.tiers.map(({ id, name }) => [id, name]))
        const etagOf = (sequence: number) =>
          `"${Digest.keyOf(JSON.stringify([sequence, facts, [...names], keys]))}"`
        const etag = etagOf(yield* checkIns.sequence(eventId).pipe(Effect.catchTag("DoorTooLarge", tooLarge)))
        if (isKnown(etag)) return { etag, bundle: "" }
        const { tiers, ...lists } = yield* checkIns.lists(eventId)
        const bundle = yield* notifications.seal({
          format: 1,
          event: facts,
          keys,
          issuedAtMs: yield* Clock.currentTimeMillis,
          tiers: tiers.map(({ tier, ...counts }) => ({ id: tier, name: names.get(tier) ?? null, ...counts })),
          ...lists
        })
        return { etag: etagOf(lists.sequence), bundle }
      },
      (effect) => admitToBundle(effect)
    ),

    upload: Effect.fnUntraced(
      function* (eventId: EventId, { clockMs, gate, scans }: NewScans) {
        yield* eventOf(eventId)
        const nowMs = yield* Clock.currentTimeMillis
        const correctionMs = DoorClock.correctionOf(clockMs, nowMs)
        const reports = new Map<number, ScanReport>()
        const good: Array<readonly [place: number, scan: Scan]> = []
        const claims = yield* Effect.forEach(
          scans,
          ({ code }) =>
            notifications.verify(code).pipe(Effect.catchTag("TicketCodeForged", () => Effect.succeed(null))),
          { concurrency: verifyAtOnce }
        )
        for (const [place, { atMs, scanId }] of scans.entries()) {
          const claim = claims[place] ?? null
          if (claim === null || claim.eventId !== eventId) {
            reports.set(place, { scanId, result: claim === null ? "forged" : "wrong_event", checkIn: null })
            continue
          }
          const scan: Scan = {
            scanId,
            ticketId: claim.ticketId,
            codeVersion: claim.version,
            gate,
            atMs: DoorClock.timeOf(atMs, correctionMs, nowMs)
          }
          good.push([place, scan])
        }
        const answers = yield* checkIns
          .record(good.map(([, scan]) => scan))
          .pipe(Effect.catchTag("BookingUnavailable", OrderViews.unsettled))
        for (const [i, [place]] of good.entries()) {
          const answer = answers[i]
          if (answer !== undefined) reports.set(place, { ...answer, checkIn: shown(answer.checkIn) })
        }
        for (const [result, reported] of Map.groupBy(reports.values(), ({ result }) => result)) {
          yield* counted(told, result, reported.length)
        }
        return {
          scans: scans.map(
            ({ scanId }, place): ScanReport =>
              reports.get(place) ?? { scanId, result: "unknown", checkIn: null }
          ),
          correctionMs
        }
      },
      (effect) => admitUpload(effect)
    ),

    conflicts: Effect.fnUntraced(function* (eventId: EventId, query: ConflictQuery) {
      yield* eventOf(eventId)
      const limit = query.limit ?? defaultPageSize
      const after =
        query.cursor === undefined
          ? null
          : yield* decodeCursor(query.cursor).pipe(
              Effect.map(([atMs, ticketId, scanId, gate]) => ({ atMs, ticketId, scanId, gate })),
              Effect.mapError(() => new CursorInvalid({}))
            )
      const found = yield* checkIns.conflicts(eventId, after, limit + 1)
      const last = found.length > limit ? found[limit - 1] : undefined
      return {
        conflicts: found.slice(0, limit).map(({ atMs, checkIn, receivedAtMs, ...conflict }) => ({
          ...conflict,
          at: instant(atMs),
          receivedAt: instant(receivedAtMs),
          checkIn: shown(checkIn)
        })),
        nextCursor:
          last === undefined ? null : encodeCursor([last.atMs, last.ticketId, last.scanId, last.gate])
      }
    }),

    counts: Effect.fnUntraced(function* (eventId: EventId) {
      yield* eventOf(eventId)
      const gates = yield* checkIns.gates(eventId)
      return {
        admitted: gates.reduce((sum, { admitted }) => sum + admitted, 0),
        conflicts: gates.reduce((sum, { conflicts }) => sum + conflicts, 0),
        gates: gates.map(({ firstAtMs, lastAtMs, ...gate }) => ({
          ...gate,
          firstAt: instantOrNull(firstAtMs),
          lastAt: instantOrNull(lastAtMs)
        }))
      }
    })
  }
})
