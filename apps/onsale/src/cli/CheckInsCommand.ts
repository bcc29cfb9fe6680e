/** `onsale checkins`: what the gates of an event have seen. */
import { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { count } from "../Wording.ts"
import { allPages, asOrganiser } from "./Connection.ts"
import { note, print, table } from "./Output.ts"

/** Conflicts that are shown; more are for a program, by --limit. */
const shownConflicts = 20
const maxConflicts = 100_000

const reasons = {
  used: "another scan was earlier",
  cancelled: "refunded or replaced by then",
  paid_back: "paid back before we heard of it"
} as const

export const checkIns = Command.make(
  "checkins",
  {
    eventId: Argument.String("EVENT_ID").pipe(
      Argument.withDescription("The event's id"),
      Argument.withSchema(EventId)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`Conflicts to show; ${shownConflicts} when left out`),
      Flag.withMetavar("N"),
      Flag.filter(
        (limit) => limit >= 0 && limit <= maxConflicts,
        () => `Expected a number from 0 to ${maxConflicts}`
      ),
      Flag.withDefault(shownConflicts)
    )
  },
  Effect.fnUntraced(function* ({ eventId, limit }) {
    const onsale = yield* asOrganiser
    const counts = yield* onsale.call((api) => api.door.counts({ params: { eventId } }))
    const conflicts =
      limit === 0
        ? []
        : yield* allPages(limit, (cursor) =>
            onsale
              .call((api) => api.door.conflicts({ params: { eventId }, query: { ...cursor, limit: 100 } }))
              .pipe(Effect.map(({ conflicts, nextCursor }) => ({ items: conflicts, nextCursor })))
          )
    yield* print({ ...counts, conflictList: conflicts }, [
      `${count(counts.admitted)} admitted, ${count(counts.conflicts)} scans that let somebody in and do not count`,
      ...(counts.gates.length === 0
        ? []
        : [
            "",
            ...table(
              ["GATE", "ADMITTED", "CONFLICTS", "FIRST", "LAST"],
              counts.gates.map(({ admitted, conflicts, firstAt, gate, lastAt }) => [
                gate,
                admitted,
                conflicts,
                firstAt ?? "",
                lastAt ?? ""
              ])
            )
          ]),
      ...(conflicts.length === 0
        ? []
        : [
            "",
            ...table(
              ["TICKET", "PLACE", "GATE", "AT", "WHY", "COUNTS"],
              conflicts.map(({ at, checkIn, gate, label, reason, ticketId }) => [
                ticketId,
                label,
                gate,
                at,
                reasons[reason],
                checkIn === null ? "" : `${checkIn.gate} ${checkIn.at}`
              ])
            )
          ])
    ])
    if (limit > 0 && conflicts.length === limit)
      yield* note(`The first ${limit} conflicts; --limit shows more.`)
  })
).pipe(
  Command.withDescription("Tell what the gates of an event have admitted, and which scans are in conflict"),
  Command.withExamples([
    {
      command: "onsale checkins 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000",
      description: "By gate, with the conflicts"
    }
  ])
)
