/** Whoever takes part in the comparison: a server that sells an event, and what is known about it. */
import type { EventId } from "@onsale/contracts/Ids"
import type { Effect } from "effect"
import type { HttpClient } from "effect/http"
import type { PlaceClaim, SeatClaim } from "../peers/Peer.ts"

/** An event on sale, with nothing taken. */
export interface OnSale {
  readonly eventId: EventId
  /** What the database keeps of it; undefined where the contender keeps nothing that we can read. */
  readonly seatClaims: Effect.Effect<ReadonlyArray<SeatClaim> | undefined>
  readonly placeClaims: Effect.Effect<ReadonlyArray<PlaceClaim> | undefined>
}

export interface Contender {
  readonly name: string
  /** What it does, in a line. */
  readonly label: string
  /** Who else does it. */
  readonly seenIn: string
  /** `limit` keeps nothing; `naive` is wrong on purpose. */
  readonly kind: "limit" | "ours" | "peer" | "naive"
  /** Redis says who wins. */
  readonly trustsRedis: boolean
  readonly host: string
  readonly port: number
  readonly pid: number
  /** Its database on the server that all share, where it has one. */
  readonly database: string | undefined
  /** Puts an event on sale and forgets the one before. */
  readonly open: (seats: number, capacity: number) => Effect.Effect<OnSale, never, HttpClient.HttpClient>
  /** After a run. */
  readonly rest: Effect.Effect<void>
}
