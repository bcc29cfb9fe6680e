/** The API of a running service, by the client that its contract makes. */
import { Api } from "@onsale/contracts/http/Api"
import { OrganiserAuth } from "@onsale/contracts/http/OrganiserApi"
import { Config, Effect, FileSystem, Option, Path, Redacted } from "effect"
import { type HttpClient, HttpClientError, HttpClientRequest } from "effect/http"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import * as DataDir from "../DataDir.ts"
import { type CommandFailure, fromProblem, fromUnknown, notReachable, refused, usage } from "./Failure.ts"
import { Key, Url } from "./Settings.ts"

type Client = HttpApiClient.ForApi<typeof Api>

export interface Connection {
  /** Without a slash at its end. */
  readonly url: string
  /** Calls the API; what it refuses, and that it is not there, comes as a `CommandFailure`. */
  readonly call: <A, E, R>(
    request: (api: Client) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, CommandFailure, R>
}

const baseUrl = Effect.gen(function* () {
  const given = yield* Url
  const configured = yield* Config.option(Config.NonEmptyString("ONSALE_URL"))
  const port = yield* Config.Port("PORT").pipe(Config.withDefault(3000))
  const text = Option.getOrElse(
    Option.orElse(given, () => configured),
    () => `http://localhost:${port}`
  )
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return yield* usage(
      `"${text}" is no address of a service`,
      "Expected a URL such as http://localhost:3000"
    )
  }
  return url.href.replace(/\/+$/, "")
})

/** Read where the service keeps it, never made: a key of ours would open nothing. */
const organiserKey = Effect.gen(function* () {
  const given = yield* Key
  if (Option.isSome(given)) return given.value
  const configured = yield* Config.option(Config.Redacted("ONSALE_ORGANISER_KEY"))
  if (Option.isSome(configured)) return configured.value
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* DataDir.dataDir, "keys", "organiser")
  return yield* fs.readFileString(file).pipe(
    Effect.map((text) => text.trim()),
    Effect.filterOrFail(
      (text) => text !== "",
      () => "blank"
    ),
    Effect.map((text) => Redacted.make(text)),
    Effect.catch(() =>
      Effect.fail(
        usage(
          "The organiser's key is needed for this",
          `There is none in ${file}. Give it with --key or ONSALE_ORGANISER_KEY; the first start of a service prints it.`
        )
      )
    )
  )
})

/** The problem that an answer carries which the contract does not foresee, such as 413. */
const fromAnswer = (error: HttpClientError.HttpClientError) =>
  error.response === undefined
    ? Effect.succeed(fromUnknown(error))
    : error.response.json.pipe(
        Effect.map((body) => fromProblem(body) ?? fromUnknown(error)),
        Effect.catch(() =>
          Effect.succeed(
            refused("The service answered what it should not", `status ${error.response?.status ?? 0}`)
          )
        )
      )

const connect = Effect.fnUntraced(function* (
  key: Redacted.Redacted | null,
  transformClient?: (client: HttpClient.HttpClient) => HttpClient.HttpClient
) {
  const url = yield* baseUrl
  const auth = HttpApiMiddleware.layerClient(OrganiserAuth, ({ next, request }) =>
    next(key === null ? request : HttpClientRequest.bearerToken(request, key))
  )
  const api = yield* HttpApiClient.make(Api, { baseUrl: url, transformClient }).pipe(
    Effect.provide(auth, { local: true })
  )
  const call: Connection["call"] = (request) =>
    Effect.catch(request(api), (error: unknown) =>
      HttpClientError.isHttpClientError(error)
        ? error.reason._tag === "TransportError"
          ? Effect.fail(notReachable(url, error))
          : Effect.flatMap(fromAnswer(error), Effect.fail)
        : Effect.fail(fromUnknown(error))
    )
  const connection: Connection = { url, call }
  return connection
})

/** For what anybody may do. */
export const asCustomer = Effect.suspend(() => connect(null))

/** For what needs the organiser's key. */
export const asOrganiser = Effect.flatMap(organiserKey, (key) => connect(key))

/** As `asOrganiser`, through a client that the caller watches. */
export const asOrganiserBy = (transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient) =>
  Effect.flatMap(organiserKey, (key) => connect(key, transformClient))

/** What a list has, page by page, up to `limit` entries where one is given. */
export const allPages = Effect.fnUntraced(function* <A, E, R>(
  limit: number | undefined,
  page: (cursor: {
    readonly cursor?: string
  }) => Effect.Effect<{ readonly items: ReadonlyArray<A>; readonly nextCursor: string | null }, E, R>
) {
  const all: Array<A> = []
  let cursor: { readonly cursor?: string } = {}
  while (true) {
    const { items, nextCursor } = yield* page(cursor)
    all.push(...items)
    if (nextCursor === null || (limit !== undefined && all.length >= limit)) return all.slice(0, limit)
    cursor = { cursor: nextCursor }
  }
})
