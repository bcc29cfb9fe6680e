/** The older contracts over HTTP: thin adapters over the operations of the API, with bodies and errors of their own. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as EventOperations from "../EventOperations.ts"
import * as HoldOperations from "../HoldOperations.ts"
import * as OrderOperations from "../OrderOperations.ts"
import * as SearchOperations from "../SearchOperations.ts"
import * as Bookings from "./Bookings.ts"
import { answered } from "./CompatAnswer.ts"
import * as CompatContracts from "./CompatContracts.ts"
import * as CompatUser from "./CompatUser.ts"
import * as EventSearch from "./EventSearch.ts"
import * as ManagedEvents from "./ManagedEvents.ts"
import * as Purchase from "./Purchase.ts"
import * as SeatClaims from "./SeatClaims.ts"
import * as SeatLocks from "./SeatLocks.ts"
import * as TicketBooking from "./TicketBooking.ts"

export const layer = (contracts: CompatContracts.CompatContracts) =>
  HttpApiBuilder.group(
    Api,
    "compat",
    Effect.fn(function* (handlers) {
      const gate = CompatContracts.gate(contracts)
      const events = yield* EventOperations.make
      const holds = yield* HoldOperations.make
      const users = yield* CompatUser.make
      const purchase = yield* Purchase.make(yield* OrderOperations.make, users.buyer)
      const seats = yield* SeatClaims.make(holds)
      const lock = SeatLocks.make(seats, purchase, users)
      const tickets = TicketBooking.make(seats, purchase, users)
      const managed = yield* ManagedEvents.make
      const search = EventSearch.make(yield* SearchOperations.make)
      const book = yield* Bookings.make(events, holds, purchase)

      return handlers
        .handleRaw("lockSeat", ({ request }) => gate("lockSeat", request, answered(lock(request))))
        .handleRaw("managedEvent", ({ params, request }) =>
          gate("managedEvent", request, answered(managed(params.uuid)))
        )
        .handleRaw("reserveTicket", ({ request }) =>
          gate("reserveTicket", request, answered(tickets.reserve(request)))
        )
        .handleRaw("confirmTicket", ({ request }) =>
          gate("confirmTicket", request, answered(tickets.confirm(request)))
        )
        .handleRaw("searchEvents", ({ query, request }) =>
          gate("searchEvents", request, answered(search(query)))
        )
        .handleRaw("book", ({ request }) => gate("book", request, answered(book(request))))
    })
  )
