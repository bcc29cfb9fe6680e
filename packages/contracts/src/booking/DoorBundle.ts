/**
 * All that a gate needs to know of an event while it has no network, as the payload of a compact JWS (Ed25519, by the
 * keys that sign ticket codes). `@onsale/door` reads it.
 *
 * The lists are base64 of entries of one length, sorted by their bytes, big-endian, each beginning with the last eight
 * bytes of a ticket's id.
 */
import { Schema } from "effect"
import { EventId, TierId } from "../Ids.ts"

/** The `typ` of its header: nothing else that these keys sign has it. */
export const doorBundleType = "onsale-door+jws"

/** The public half of a key: `number` as codes name it and `kid` of a bundle, `x` as in a JWK. */
export const DoorKey = Schema.Struct({ number: Schema.Int, x: Schema.String })
export type DoorKey = typeof DoorKey.Type

export const DoorBundle = Schema.Struct({
  format: Schema.Literal(1),
  event: Schema.Struct({
    id: EventId,
    name: Schema.String,
    /** UTC instant, ISO 8601. */
    startsAt: Schema.String,
    timeZone: Schema.String,
    venue: Schema.Struct({ name: Schema.String, location: Schema.String })
  }),
  /** Codes hold that one of these has signed. */
  keys: Schema.Array(DoorKey),
  /** Grows with every change; a gate takes no bundle that is older than the one it has. */
  sequence: Schema.Int,
  issuedAtMs: Schema.Int,
  tiers: Schema.Array(
    Schema.Struct({
      id: TierId,
      name: Schema.NullOr(Schema.String),
      valid: Schema.Int,
      refunded: Schema.Int,
      admitted: Schema.Int
    })
  ),
  /** 8 bytes an entry: tickets that admit nobody. */
  refunded: Schema.String,
  /** 10 bytes: the ticket, and the version of the oldest code that admits. */
  reissued: Schema.String,
  gates: Schema.Array(Schema.String),
  /** 16 bytes: the ticket, 6 of the time in milliseconds since 1970, 2 of the gate's place in `gates`. */
  admitted: Schema.String
})
export type DoorBundle = typeof DoorBundle.Type
