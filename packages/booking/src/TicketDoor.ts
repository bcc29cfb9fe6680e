/**
 * What the door knows of a ticket, and how it decides. Pure.
 *
 * A scan is good where its code was the newest at the time of the scan and the ticket not refunded. Of the good ones
 * the earliest counts (ties by scan id), in whatever order they come to us: so the ticket is used once, and every
 * order of uploads ends with the same check-in. What was let in and does not count is kept as refused.
 *
 * A scan is known by its id and its gate: nobody scans at two gates, so the same id of another gate is another scan,
 * whoever made it up.
 */
import { Result } from "effect"
import type { CheckInAnswer, Scan, ScanAnswer, ScanRefusal } from "@onsale/contracts/booking/CheckIn"
import type { Customer, OrderEvent } from "@onsale/contracts/booking/Order"
import type { NotReissuable } from "@onsale/contracts/booking/OrderEntity"
import type { TicketId } from "@onsale/contracts/Ids"

export interface TicketDoor {
  /** When the code of each version was issued, milliseconds since 1970; that of version 1 first. */
  readonly issuedMs: ReadonlyArray<number>
  readonly refundedMs: number | null
  /** The scan that counts. */
  readonly admitted: Scan | null
  /** Those that do not, though a gate has let somebody in. */
  readonly refused: ReadonlyArray<Scan & { readonly reason: ScanRefusal }>
}

export const issued = (atMs: number): TicketDoor => ({
  issuedMs: [atMs],
  refundedMs: null,
  admitted: null,
  refused: []
})

/** Refused scans of a ticket that are kept: one that is passed around is known for what it is by then. */
export const maxRefused = 100

/** Codes that a ticket may have had; who needs more is up to something. The format has room for 65,535. */
export const maxCodes = 100

/** A repeat of a question whose answer was lost comes at once; later the same scan id is another person. */
export const repeatMs = 10_000

/** A code is not shown before it was issued: a clock that says so is wrong by as much. */
const clamped = (door: TicketDoor, scan: Scan): Scan => {
  const issuedMs = door.issuedMs[scan.codeVersion - 1] ?? 0
  return scan.atMs >= issuedMs ? scan : { ...scan, atMs: issuedMs }
}

const isGood = (door: TicketDoor, { atMs, codeVersion }: Scan): boolean => {
  const from = door.issuedMs[codeVersion - 1]
  const until = door.issuedMs[codeVersion]
  return (
    from !== undefined &&
    (until === undefined || atMs < until) &&
    (door.refundedMs === null || atMs < door.refundedMs)
  )
}

const isBefore = (a: Scan, b: Scan): boolean => {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  return a.scanId === b.scanId ? a.gate < b.gate : a.scanId < b.scanId
}

type DoorEvent = Extract<OrderEvent, { readonly _tag: "TicketAdmitted" | "ScanRefused" | "TicketReissued" }>

/** The door after an event that was written at `atMs`; a string says why the event does not fit. */
export const evolve = (door: TicketDoor, event: DoorEvent, atMs: number): TicketDoor | string => {
  switch (event._tag) {
    case "TicketReissued":
      if (door.admitted !== null || door.refundedMs !== null) return "it was used or refunded"
      if (event.codeVersion !== door.issuedMs.length + 1) return "a version was left out"
      return { ...door, issuedMs: [...door.issuedMs, Math.max(atMs, door.issuedMs.at(-1) ?? 0)] }
    case "TicketAdmitted": {
      const { _tag, replaces, ...scan } = event
      if (!isGood(door, scan)) return "its code was not good"
      if (door.admitted?.scanId !== replaces) return "it was used by another scan"
      if (door.admitted === null) return { ...door, admitted: scan }
      if (!isBefore(scan, door.admitted)) return "it was used before"
      // The newest ones: gates whose clocks run backwards, or that make scans up, take over as often as they like.
      const refused = [...door.refused, { ...door.admitted, reason: "used" as const }].slice(-maxRefused)
      return { ...door, admitted: scan, refused }
    }
    case "ScanRefused": {
      const { _tag, ...scan } = event
      if (find(door, scan) !== undefined) return "the scan is known"
      return { ...door, refused: [...door.refused, scan] }
    }
  }
}

const checkInOf = (scan: Scan | null) => (scan === null ? null : { gate: scan.gate, atMs: scan.atMs })

const isSame = (a: Scan | null, b: Scan): boolean => a?.scanId === b.scanId && a.gate === b.gate

const find = (door: TicketDoor, scan: Scan): ScanAnswer["result"] | undefined =>
  isSame(door.admitted, scan) ? "admitted" : door.refused.find((refused) => isSame(refused, scan))?.reason

/** What a gate that asks is told, and what is to be written; `nowMs` is the time of the scan. */
export interface Asked {
  readonly event: DoorEvent | null
  /** `null` where the ticket is admitted, now or by this very scan. */
  readonly refusal: Exclude<CheckInAnswer, { readonly _tag: "Admitted" }> | null
}

export const checkIn = (door: TicketDoor, asked: Scan): Asked => {
  const scan = clamped(door, asked)
  const { admitted } = door
  if (door.refundedMs !== null) return { event: null, refusal: { _tag: "Refunded" } }
  if (scan.codeVersion !== door.issuedMs.length) return { event: null, refusal: { _tag: "Replaced" } }
  if (admitted === null) return { event: { _tag: "TicketAdmitted", ...scan }, refusal: null }
  const isRepeat = isSame(admitted, scan) && scan.atMs - admitted.atMs <= repeatMs
  return {
    event: null,
    refusal: isRepeat ? null : { _tag: "Used", checkIn: { gate: admitted.gate, atMs: admitted.atMs } }
  }
}

/** What becomes of a scan that was made without asking; `event` is null where there is nothing new to write. */
export const record = (
  door: TicketDoor,
  made: Scan
): { readonly event: DoorEvent | null; readonly answer: ScanAnswer } => {
  const scan = clamped(door, made)
  const { admitted } = door
  const answer = (result: ScanAnswer["result"], by: Scan | null): ScanAnswer => ({
    scanId: scan.scanId,
    result,
    checkIn: checkInOf(by)
  })
  const known = find(door, scan)
  if (known !== undefined) return { event: null, answer: answer(known, admitted) }
  if (isGood(door, scan) && (admitted === null || isBefore(scan, admitted))) {
    return {
      event: {
        _tag: "TicketAdmitted",
        ...scan,
        ...(admitted === null ? {} : { replaces: admitted.scanId })
      },
      answer: answer("admitted", scan)
    }
  }
  const reason = isGood(door, scan) ? "used" : "cancelled"
  return {
    event: door.refused.length >= maxRefused ? null : { _tag: "ScanRefused", ...scan, reason },
    answer: answer(reason, admitted)
  }
}

/** The next code of a ticket, or why there is none. */
export const reissue = (
  door: TicketDoor | undefined,
  request: { readonly ticketId: TicketId; readonly holder: Customer | null }
): Result.Result<Extract<DoorEvent, { readonly _tag: "TicketReissued" }>, NotReissuable["reason"]> => {
  if (door === undefined) return Result.fail("unknown")
  if (door.refundedMs !== null) return Result.fail("refunded")
  if (door.admitted !== null) return Result.fail("used")
  if (door.issuedMs.length >= maxCodes) return Result.fail("too_many")
  return Result.succeed({
    _tag: "TicketReissued",
    ticketId: request.ticketId,
    codeVersion: door.issuedMs.length + 1,
    ...(request.holder === null ? {} : { holder: request.holder })
  })
}
