/** The rows of the door that an append changes: `booking.check_ins` and `booking.scan_conflicts`. Pure. */
import type { Scan } from "@onsale/contracts/booking/CheckIn"
import type { OrderEvent } from "@onsale/contracts/booking/Order"
import type { Order } from "./OrderState.ts"

const row = ({ atMs, codeVersion, gate, scanId, ticketId }: Scan) => ({
  ticket_id: ticketId,
  scan_id: scanId,
  gate,
  code_version: codeVersion,
  at_ms: atMs
})

/** `order` is as it is after the events: of a ticket that was taken over twice the last scan counts. */
export const of = ({
  events,
  order
}: {
  readonly events: ReadonlyArray<OrderEvent>
  readonly order: Order
}) => {
  const admitted = new Set(
    events.flatMap((event) => (event._tag === "TicketAdmitted" ? [event.ticketId] : []))
  )
  const lost = new Set(
    events.flatMap((event) => {
      if (event._tag === "ScanRefused") return [`${event.ticketId} ${event.scanId}`]
      return event._tag === "TicketAdmitted" && event.replaces !== undefined
        ? [`${event.ticketId} ${event.replaces}`]
        : []
    })
  )
  return {
    admitted: [...admitted].flatMap((ticketId) => {
      const scan = order.doors.get(ticketId)?.admitted ?? null
      return scan === null ? [] : [row(scan)]
    }),
    refused: [...new Set([...lost].map((key) => key.slice(0, 36)))].flatMap((ticketId) =>
      [...order.doors].flatMap(([id, { refused }]) =>
        id === ticketId
          ? refused
              .filter(({ scanId }) => lost.has(`${ticketId} ${scanId}`))
              .map((scan) => ({ ...row(scan), reason: scan.reason }))
          : []
      )
    )
  }
}
