/** What the door says to who is not let in, and what else there is to refuse about tickets (see `Problems`). */
import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { EventId, TicketId } from "../Ids.ts"

const ticketId = { ticketId: TicketId }

export class TicketUsed extends HttpApiError.Problem<TicketUsed>()(
  "TicketUsed",
  { type: "urn:onsale:problem:ticket-used", status: 409, title: "The ticket was used already" },
  {
    ...ticketId,
    /** UTC instant, by the clock of the gate. */
    at: Schema.String,
    gate: Schema.String
  }
) {}

export class TicketRefunded extends HttpApiError.Problem<TicketRefunded>()(
  "TicketRefunded",
  {
    type: "urn:onsale:problem:ticket-refunded",
    status: 409,
    title: "The ticket is cancelled: it was refunded"
  },
  ticketId
) {}

export class CodeReplaced extends HttpApiError.Problem<CodeReplaced>()(
  "CodeReplaced",
  {
    type: "urn:onsale:problem:code-replaced",
    status: 409,
    title: "The code is cancelled: the ticket was given a new one"
  },
  ticketId
) {}

export class WrongEvent extends HttpApiError.Problem<WrongEvent>()(
  "WrongEvent",
  { type: "urn:onsale:problem:wrong-event", status: 422, title: "The ticket is for another event" },
  {
    /** For which. */
    eventId: EventId
  }
) {}

export class CodeForged extends HttpApiError.Problem<CodeForged>()("CodeForged", {
  type: "urn:onsale:problem:code-forged",
  status: 422,
  title: "This is no code of ours"
}) {}

export class TicketsUsed extends HttpApiError.Problem<TicketsUsed>()(
  "TicketsUsed",
  {
    type: "urn:onsale:problem:tickets-used",
    status: 409,
    title: "Tickets that were used at the door are not given back"
  },
  { tickets: Schema.Array(TicketId) }
) {}

export class NotReissuable extends HttpApiError.Problem<NotReissuable>()(
  "NotReissuable",
  { type: "urn:onsale:problem:not-reissuable", status: 409, title: "The ticket gets no new code" },
  {
    /** Used, refunded, or given a new code too often. */
    reason: Schema.Literals(["refunded", "used", "too_many"])
  }
) {}

export class DoorTooLarge extends HttpApiError.Problem<DoorTooLarge>()(
  "DoorTooLarge",
  {
    type: "urn:onsale:problem:door-too-large",
    status: 422,
    title: "The event has more tickets than a gate can be told of"
  },
  { tickets: Schema.Int }
) {}
