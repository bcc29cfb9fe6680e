/** The door: codes that are shown at a gate, and what gates without network need and tell later. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSchema, OpenApi } from "effect/http-api"
import { Gate, maxScans, ScanAnswer, ScanId } from "../booking/CheckIn.ts"
import { DoorKey } from "../booking/DoorBundle.ts"
import { EventId, TicketId } from "../Ids.ts"
import { maxCodeLength } from "../notifications/TicketCode.ts"
import {
  CodeForged,
  CodeReplaced,
  DoorTooLarge,
  TicketRefunded,
  TicketUsed,
  WrongEvent
} from "./CheckInProblems.ts"
import { OrganiserAuth } from "./OrganiserApi.ts"
import { CursorInvalid, EventNotFound, OverloadedProblem, TicketNotFound, Unauthorized } from "./Problems.ts"

/** Whatever a scanner reads; what is no code of ours is forged, not malformed. */
const Code = Schema.String.check(Schema.isMaxLength(maxCodeLength))

export const NewCheckIn = Schema.Struct({
  code: Code,
  gate: Gate,
  /** Which event the door is of; tickets of any are admitted where it is left out. */
  eventId: Schema.optionalKey(EventId),
  /** New for each scan: a repeat with the same one at the same gate within ten seconds gives the same answer. */
  scanId: Schema.optionalKey(ScanId)
})
export type NewCheckIn = typeof NewCheckIn.Type

export const Admitted = Schema.Struct({
  result: Schema.Literal("admitted"),
  ticketId: TicketId,
  eventId: EventId,
  label: Schema.String,
  /** The name on the ticket. */
  holder: Schema.String,
  gate: Schema.String,
  /** UTC instant, ISO 8601. */
  at: Schema.String
})

/** Why nobody is let in, over any transport; overload comes besides. */
export const checkInProblems = [
  CodeForged,
  WrongEvent,
  TicketNotFound,
  TicketUsed,
  TicketRefunded,
  CodeReplaced
] as const

/** Milliseconds since 1970. */
const Ms = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8_640_000_000_000_000 }))

/** Scans of a gate that did not ask, each of somebody who was let in. */
export const NewScans = Schema.Struct({
  gate: Gate,
  /** What the gate's clock says now: by it the times of the scans are put right. */
  clockMs: Ms,
  scans: Schema.Array(Schema.Struct({ scanId: ScanId, code: Code, atMs: Ms })).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(maxScans)
  )
})
export type NewScans = typeof NewScans.Type

export const ScanReport = Schema.Struct({
  scanId: ScanId,
  result: Schema.Literals([...ScanAnswer.fields.result.literals, "forged", "wrong_event"]),
  /** The check-in that counts. */
  checkIn: Schema.NullOr(Schema.Struct({ gate: Schema.String, at: Schema.String }))
})
export type ScanReport = typeof ScanReport.Type

/** In the order of the scans. */
export const ScanReports = Schema.Struct({
  scans: Schema.Array(ScanReport),
  /** What was added to the times of the scans, in milliseconds; null where the gate's clock was not believed. */
  correctionMs: Schema.NullOr(Schema.Int)
})

export const ScanConflict = Schema.Struct({
  ticketId: TicketId,
  label: Schema.String,
  /** Another scan was earlier; the code was not good any more; or the money was paid back before we heard of the scan. */
  reason: Schema.Literals(["used", "cancelled", "paid_back"]),
  scanId: Schema.String,
  gate: Schema.String,
  /** UTC instants: by the gate's clock, and when we heard of it. */
  at: Schema.String,
  receivedAt: Schema.String,
  /** The check-in that counts. */
  checkIn: Schema.NullOr(Schema.Struct({ gate: Schema.String, at: Schema.String }))
})

export const ConflictQuery = Schema.Struct({
  /** The `nextCursor` of the page before. */
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(600))),
  /** 100 when left out. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })))
})
export type ConflictQuery = typeof ConflictQuery.Type

export const ConflictPage = Schema.Struct({
  conflicts: Schema.Array(ScanConflict),
  nextCursor: Schema.NullOr(Schema.String)
})

export const CheckInCounts = Schema.Struct({
  admitted: Schema.Int,
  conflicts: Schema.Int,
  gates: Schema.Array(
    Schema.Struct({
      gate: Schema.String,
      admitted: Schema.Int,
      /** Scans of this gate that let somebody in and do not count. */
      conflicts: Schema.Int,
      /** UTC instants; null where it has admitted nobody. */
      firstAt: Schema.NullOr(Schema.String),
      lastAt: Schema.NullOr(Schema.String)
    })
  )
})

export const DoorKeys = Schema.Struct({ keys: Schema.Array(DoorKey) })

const eventId = { eventId: EventId }
const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })

/** Lets everybody pass, or those with the door's or the organiser's key: as the service is set up. */
export class DoorAuth extends HttpApiMiddleware.Service<DoorAuth>()("@onsale/contracts/http/DoorAuth", {
  error: Unauthorized
}) {}

export class CheckInsApi extends HttpApiGroup.make("checkIns")
  .add(
    HttpApiEndpoint.post("create", "/checkins", {
      payload: NewCheckIn,
      success: Admitted,
      error: [...checkInProblems, OverloadedProblem]
    }).annotateMerge(
      described(
        "Let somebody in",
        "Admits who shows the code, once. Needs no key, or the door's or the organiser's one as a bearer key where the service asks for it (ONSALE_CHECKINS=key)."
      )
    )
  )
  .middleware(DoorAuth)
  .prefix("/api/v1") {}

export class DoorApi extends HttpApiGroup.make("door")
  .add(
    HttpApiEndpoint.get("bundle", "/organiser/events/:eventId/door-bundle", {
      params: eventId,
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/jose" })),
      error: [EventNotFound, DoorTooLarge, OverloadedProblem]
    }).annotateMerge(
      described(
        "What a gate without network needs",
        "A compact JWS (Ed25519): the event, the public keys of codes, which tickets are refunded, reissued or inside, and counts by tier. Has an ETag: ask again with If-None-Match, every half a minute or so. @onsale/door reads it."
      )
    ),
    HttpApiEndpoint.get("keys", "/organiser/door-keys", { success: DoorKeys }).annotateMerge(
      described(
        "The keys that a gate trusts",
        "Public Ed25519 keys, which a gate is given once, before it takes bundles from anywhere."
      )
    ),
    HttpApiEndpoint.post("uploadScans", "/organiser/events/:eventId/scans", {
      params: eventId,
      payload: NewScans,
      success: ScanReports,
      error: [EventNotFound, OverloadedProblem]
    }).annotateMerge(
      described(
        "Tell of scans that were made without network",
        "At most 1,000 at a time, in any order; a repeat of the gate with the same scan ids changes nothing, and the same id from another gate is another scan. Of several scans of a ticket the first by the gates' times counts, the others are conflicts. The gate's clock is put right by what it says now: differences from two seconds to ten minutes; beyond that scans count from their arrival."
      )
    ),
    HttpApiEndpoint.get("conflicts", "/organiser/events/:eventId/scans/conflicts", {
      params: eventId,
      query: ConflictQuery,
      success: ConflictPage,
      error: [EventNotFound, CursorInvalid]
    }).annotateMerge(
      described("List the conflicts", "Everybody who was let in by a scan that does not count, oldest first.")
    ),
    HttpApiEndpoint.get("counts", "/organiser/events/:eventId/checkins", {
      params: eventId,
      success: CheckInCounts,
      error: EventNotFound
    })
  )
  .middleware(OrganiserAuth)
  .prefix("/api/v1") {}
