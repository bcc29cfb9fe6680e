/** `onsale token`: a token that names a customer. */
import { Customer } from "@onsale/contracts/booking/Order"
import { CustomerId } from "@onsale/contracts/Ids"
import { Clock, DateTime, Effect, FileSystem, Option, Path, Redacted, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as DataDir from "../DataDir.ts"
import { configured } from "../TokenKeys.ts"
import { usage } from "./Failure.ts"
import { print } from "./Output.ts"

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const longestMs = 366 * unitsMs.d

const Lifetime = Schema.String.check(
  Schema.isPattern(/^\d{1,9}[smhd]$/, { expected: "a time such as 30m, 1h or 7d" })
)

const millisecondsOf = (lifetime: string): number =>
  Number(lifetime.slice(0, -1)) * unitsMs[lifetime.slice(-1) as keyof typeof unitsMs]

/** Read where the service keeps it, never made: no service would take a token by it. */
const keys = Effect.gen(function* () {
  const given = yield* configured
  if (Option.isSome(given)) return given.value
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* DataDir.dataDir, "keys", "token")
  return yield* fs.readFileString(file).pipe(
    Effect.map((text) => Redacted.make(text.trim())),
    Effect.catch(() =>
      Effect.fail(
        usage(
          "The key of customers' tokens is needed for this",
          `There is none in ${file}. ONSALE_TOKEN_KEYS names others; the first start of a service makes one.`
        )
      )
    )
  )
})

export const token = Command.make(
  "token",
  {
    customer: Flag.String("customer").pipe(
      Flag.withDescription("The customer's id: a UUID, or whatever you call your customers"),
      Flag.withMetavar("ID"),
      Flag.withSchema(CustomerId)
    ),
    email: Flag.String("email").pipe(
      Flag.withDescription("Where tickets go that are bought without saying it"),
      Flag.withMetavar("EMAIL"),
      Flag.withSchema(Customer.fields.email),
      Flag.optional
    ),
    expires: Flag.String("expires").pipe(
      Flag.withDescription("It holds for so long: seconds, minutes, hours or days, 366 days at the most"),
      Flag.withMetavar("TIME"),
      Flag.withSchema(Lifetime),
      Flag.withDefault("1h")
    )
  },
  Effect.fnUntraced(function* ({ customer, email, expires }) {
    const lifetimeMs = millisecondsOf(expires)
    if (lifetimeMs === 0 || lifetimeMs > longestMs) {
      return yield* usage(`A token cannot hold for ${expires}`, "Expected more than 0s, and 366d at the most")
    }
    const { parse, sign } = yield* Effect.promise(() => import("@onsale/gateway/TokenKeys"))
    const nowMs = yield* Clock.currentTimeMillis
    const signer = yield* parse(yield* keys)
    const expiresAtMs = Math.floor((nowMs + lifetimeMs) / 1_000) * 1_000
    const text = yield* sign(
      signer,
      { id: customer, ...Option.match(email, { onNone: () => ({}), onSome: (email) => ({ email }) }) },
      { nowMs, expiresAtMs }
    )
    yield* print({ token: text, customer, expiresAt: DateTime.formatIso(DateTime.makeUnsafe(expiresAtMs)) }, [
      text
    ])
  })
).pipe(
  Command.withDescription(
    "Make a token that names a customer, for `Authorization: Bearer`. Limits a customer count for it, and orders are found by it. Signed by the first key of ONSALE_TOKEN_KEYS, or by the one in the data directory of ONSALE_DATA_DIR."
  ),
  Command.withShortDescription("Make a token that names a customer"),
  Command.withExamples([
    {
      command: "onsale token --customer 019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f70 --expires 8h",
      description: "For a working day"
    }
  ])
)
