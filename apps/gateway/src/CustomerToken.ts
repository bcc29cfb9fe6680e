/** Tells the customer from a bearer token. What was verified once is remembered until it expires. */
import { CustomerAuth } from "@onsale/contracts/http/CustomerAuth"
import { NewCustomer } from "@onsale/contracts/booking/Order"
import { CustomerId } from "@onsale/contracts/Ids"
import { TokenRejected } from "@onsale/contracts/http/Problems"
import { Clock, Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { HttpServerRequest } from "effect/http"
import { decodeProtectedHeader, jwtVerify } from "jose"
import { CurrentCustomer, type ProvedCustomer } from "./CurrentCustomer.ts"
import { checkOf } from "./OrganiserAuth.ts"
import { unprovedPrefix } from "./compat/CompatUser.ts"
import * as TokenKeys from "./TokenKeys.ts"

/** Characters; what is longer carries more than we ask of it. */
const maxLength = 2_048
/** Tokens that are remembered, 20 MB at the most; the one that came first makes room. */
const remembered = 10_000
/** Clocks of issuers may be off by so much. */
const toleranceSeconds = 5

const bearer = /^Bearer +(.*)$/i

const isCustomerId = Schema.is(CustomerId)
const isEmail = Schema.is(NewCustomer.fields.email)
const isName = Schema.is(NewCustomer.fields.name)

/** Why a token does not hold: for the log, never for who sent it. */
class NotAToken extends Schema.TaggedError<NotAToken>()("NotAToken", {
  cause: Schema.Defect()
}) {}

interface Known {
  readonly customer: ProvedCustomer
  readonly untilMs: number
}

const make = Effect.fnUntraced(function* (keys: TokenKeys.TokenKeys, organiserKey: Redacted.Redacted) {
  const { audience, issuer } = yield* TokenKeys.claims
  const clock = yield* Clock.Clock
  const isOrganisers = yield* checkOf(organiserKey)
  const known = new Map<string, Known>()

  const recall = (token: string): ProvedCustomer | undefined => {
    const found = known.get(token)
    if (found === undefined) return undefined
    if (clock.currentTimeMillisUnsafe() < found.untilMs) return found.customer
    known.delete(token)
    return undefined
  }

  const remember = (token: string, found: Known): void => {
    if (known.size >= remembered) {
      for (const first of known.keys()) {
        known.delete(first)
        break
      }
    }
    known.set(token, found)
  }

  const check = async (token: string): Promise<Known> => {
    const key = keys.byId.get(decodeProtectedHeader(token).kid ?? "")
    if (key === undefined) throw new Error("the token is of no key of ours")
    const { payload } = await jwtVerify(token, key.verify, {
      algorithms: [key.algorithm],
      issuer,
      audience,
      clockTolerance: toleranceSeconds,
      currentDate: new Date(clock.currentTimeMillisUnsafe()),
      requiredClaims: ["sub", "exp"]
    })
    const { email, email_verified: isProved, exp, name, sub } = payload
    if (!isCustomerId(sub)) throw new Error("the token's subject is no customer's id")
    if (sub.startsWith(unprovedPrefix))
      throw new Error("the token's subject is one of those whom nobody proves")
    return {
      customer: {
        id: sub,
        email: isProved === true && isEmail(email) ? email : null,
        name: isName(name) ? name : null
      },
      untilMs: (exp ?? 0) * 1_000
    }
  }

  const verify = Effect.fn("CustomerToken.verify")(
    function* (token: string) {
      const already = recall(token)
      if (already !== undefined) return already
      if (token.length > maxLength) return yield* new TokenRejected({})
      const found = yield* Effect.tryPromise({
        try: () => check(token),
        catch: (cause) => new NotAToken({ cause })
      })
      remember(token, found)
      return found.customer
    },
    Effect.catchTag("NotAToken", ({ cause }) =>
      Effect.andThen(Effect.logDebug("a token does not hold", cause), Effect.fail(new TokenRejected({})))
    )
  )

  /** What names a customer; another scheme, or the organiser's key, names nobody. */
  const tokenOf = (authorization: string | undefined): string | undefined => {
    const token = authorization === undefined ? undefined : bearer.exec(authorization)?.[1]
    return token === undefined || isOrganisers(token) ? undefined : token
  }

  return CustomerToken.of({
    verify,
    known: (authorization) => {
      const token = bearer.exec(authorization)?.[1]
      return token === undefined ? undefined : recall(token)
    },
    from: (authorization) => {
      const token = tokenOf(authorization)
      return token === undefined ? Effect.succeed(null) : verify(token)
    }
  })
})

export class CustomerToken extends Context.Service<
  CustomerToken,
  {
    /** The customer of a token. */
    readonly verify: (token: string) => Effect.Effect<ProvedCustomer, TokenRejected>
    /** The customer of an `Authorization` header; null where it names none, and is no bearer token of ours. */
    readonly from: (authorization: string | undefined) => Effect.Effect<ProvedCustomer | null, TokenRejected>
    /** At once, of one that was verified before; undefined says nothing. */
    readonly known: (authorization: string) => ProvedCustomer | undefined
  }
>()("@onsale/gateway/CustomerToken") {
  /** Over keys in the form of `ONSALE_TOKEN_KEYS`; without any no token holds. */
  static readonly layer = (options: {
    readonly keys: Option.Option<Redacted.Redacted>
    readonly organiserKey: Redacted.Redacted
  }) =>
    Layer.effect(
      CustomerToken,
      Effect.gen(function* () {
        const keys = Option.isSome(options.keys) ? yield* TokenKeys.parse(options.keys.value) : TokenKeys.none
        return yield* make(keys, options.organiserKey)
      })
    )
}

/** For the routes of customers: answers as the customer of the token, where there is one. */
export const authLayer = Layer.effect(
  CustomerAuth,
  Effect.map(CustomerToken, (tokens) =>
    CustomerAuth.of((answer) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        Effect.flatMap(tokens.from(headers["authorization"]), (customer) =>
          Effect.provideService(answer, CurrentCustomer, customer)
        )
      )
    )
  )
)
