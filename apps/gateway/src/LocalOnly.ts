/** Routes for the people who run the system: from this machine, or from anywhere where `ONSALE_OPERATOR_ROUTES` is `open`. */
import { Config, Effect, Option } from "effect"
import { HttpRouter, HttpServerRequest, type HttpServerResponse, ProblemDetails } from "effect/http"

const forbidden: HttpServerResponse.HttpServerResponse = ProblemDetails.toResponse({
  type: "urn:onsale:problem:local-only",
  status: 403,
  title: "Only from this machine",
  detail: "ONSALE_OPERATOR_ROUTES=open opens it"
})

const loopback = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/

/** A request that a proxy on this machine has passed on says so in its headers. */
const passedOn = ["forwarded", "x-forwarded-for", "x-real-ip", "via"]

/** A page of somebody else whose name was made to point here (DNS rebinding) still sends that name. */
const localHost = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i

const isLocal = (request: HttpServerRequest.HttpServerRequest): boolean =>
  loopback.test(String(Option.getOrElse(request.remoteAddress, () => ""))) &&
  localHost.test(request.headers["host"] ?? "") &&
  !passedOn.some((header) => header in request.headers)

/** Put it under a layer of routes: `routes.pipe(Layer.provide(LocalOnly.layer))`. */
export const { layer } = HttpRouter.middleware(
  Effect.gen(function* () {
    const access = yield* Config.Literals(["local", "open"], "ONSALE_OPERATOR_ROUTES").pipe(
      Config.withDefault("local")
    )
    return (routes) =>
      access === "open"
        ? routes
        : Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
            isLocal(request) ? routes : Effect.succeed(forbidden)
          )
  })
)
