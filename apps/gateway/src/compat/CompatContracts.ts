/**
 * Which of the older contracts are served. Under two of them nobody proves who he is, and a lock is a sale: where real
 * money is behind, somebody has to have wanted that.
 */
import type { Api } from "@onsale/contracts/http/Api"
import * as ConfiguredProviders from "@onsale/payments/ConfiguredProviders"
import { Config, Effect, Option, Schema } from "effect"
import { type HttpServerRequest, type HttpServerResponse, ProblemDetails } from "effect/http"
import { OpenApi } from "effect/http-api"
import * as Purchase from "./Purchase.ts"

const all = ["a", "b", "c"] as const
export type Contract = (typeof all)[number]
export type CompatContracts = ReadonlySet<Contract>

/** Routes by the contract that they are of. */
const routes = {
  lockSeat: "a",
  managedEvent: "b",
  reserveTicket: "b",
  confirmTicket: "b",
  searchEvents: "b",
  book: "c"
} as const satisfies Readonly<Record<string, Contract>>
export type Route = keyof typeof routes

const isContract = (text: string): text is Contract => all.some((one) => one === text)

/** Undefined for what is neither `on`, `off`, nor a list of contracts. */
export const contractsOf = (text: string): CompatContracts | undefined => {
  if (text === "on") return new Set(all)
  if (text === "off") return new Set()
  const named = text.split(",").map((part) => part.trim().toLowerCase())
  return named.every(isContract) ? new Set(named.filter(isContract)) : undefined
}

/** `ONSALE_COMPAT`: `on`, `off`, or those of the contracts that are served, such as `b,c`. */
const setting = Config.option(
  Config.schema(
    Schema.String.check(
      Schema.makeFilter((text: string) =>
        contractsOf(text) === undefined ? "Expected on, off, or a list of contracts such as b,c" : undefined
      )
    ),
    "ONSALE_COMPAT"
  )
)

/** The older contracts are to be served, and it is not said what is charged there. */
export class CompatNotPayable extends Schema.TaggedError<CompatNotPayable>()("CompatNotPayable", {
  message: Schema.String
}) {}

/**
 * As configured. Where nothing is, all of them with `onWithSandbox` and no provider connected that takes real money, and
 * none else. Fails where they are wanted with such a provider, and nobody has said what is charged for what older clients
 * buy: the sandbox's method, which stands for nothing there, would be declined each time.
 */
export const configured = Effect.fnUntraced(function* (onWithSandbox: boolean) {
  const wanted = Option.map(yield* setting, contractsOf)
  const real = yield* ConfiguredProviders.takingRealMoney
  if (Option.isNone(wanted) || wanted.value === undefined) {
    const contracts = contractsOf(onWithSandbox && real.length === 0 ? "on" : "off")
    if (onWithSandbox && real.length > 0) {
      yield* Effect.logInfo(
        `the older contracts (/compat) are off, as ${real.join(" and ")} takes real money: ONSALE_COMPAT says otherwise`
      )
    }
    return contracts ?? new Set<Contract>()
  }
  if (wanted.value.size > 0 && real.length > 0 && !(yield* Purchase.isConfigured)) {
    return yield* new CompatNotPayable({
      message: `ONSALE_COMPAT serves the older contracts, and ${real.join(" and ")} takes real money: say in ONSALE_COMPAT_PAYMENT_METHODS what is charged for what their clients buy, or set ONSALE_COMPAT=off`
    })
  }
  return wanted.value
})

/** As the edge says it of any path that is not served. */
const notServed = ({ method }: HttpServerRequest.HttpServerRequest) =>
  ProblemDetails.toResponse({
    type: "urn:onsale:problem:not-found",
    status: 404,
    title: "There is nothing here",
    detail: `${method} is not served at this path`
  })

/** Answers with what the route does, or as if there were none. */
export const gate =
  (contracts: CompatContracts) =>
  <E, R>(
    route: Route,
    request: HttpServerRequest.HttpServerRequest,
    answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R> =>
    contracts.has(routes[route]) ? answer : Effect.succeed(notServed(request))

type Operation = { readonly operationId?: string }
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

const isServed = (contracts: CompatContracts, operationId: string | undefined): boolean => {
  const contract = Object.entries(routes).find(([route]) => operationId === `compat.${route}`)?.[1]
  return contract === undefined || contracts.has(contract)
}

/** The API as it is described: without the routes of contracts that are not served. */
export const describe = (api: typeof Api, contracts: CompatContracts) =>
  api.annotate(OpenApi.Transform, (description) => {
    const paths: Paths = description["paths"]
    const served = Object.entries(paths).filter(([, operations]) =>
      Object.values(operations).every(({ operationId }) => isServed(contracts, operationId))
    )
    return { ...description, paths: Object.fromEntries(served) }
  })
