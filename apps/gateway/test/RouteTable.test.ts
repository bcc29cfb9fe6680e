/** A metric's label is a template, whatever paths clients make up. */
import { Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { expect, test } from "vitest"
import { asked, levels } from "@onsale/contracts/ServiceLevel"
import { boundaries, routes } from "../src/HttpMetrics.ts"
import * as RouteTable from "../src/RouteTable.ts"

const templateOf = RouteTable.make(routes())

test("every route is found by a path of its own", () => {
  for (const { method, template } of routes())
    expect(templateOf(method, `${template.replace(/\{\w+\}/g, "0190-x")}?q=1`), template).toBe(template)
})

test("a literal goes before a parameter, and a parameter takes over where the literal leads nowhere", () => {
  const find = RouteTable.make([
    { method: "POST", template: "/webhooks/{provider}" },
    { method: "POST", template: "/webhooks/mail/{provider}" },
    { method: "GET", template: "/{any}/last" },
    { method: "GET", template: "/webhooks/first" }
  ])
  expect(find("POST", "/webhooks/mail")).toBe("/webhooks/{provider}")
  expect(find("POST", "/webhooks/mail/x")).toBe("/webhooks/mail/{provider}")
  expect(find("GET", "/webhooks/last")).toBe("/{any}/last")
})

test("what is not served has no label of its own", () => {
  for (const path of [
    "",
    "x",
    "/x",
    "/api/v1/events/a/b/c",
    "/api/v1/./events",
    "/api/v1/orders/../events",
    "/api/v1/%zz",
    `/api/v1/orders/${"1".repeat(101)}`,
    "/__proto__"
  ])
    expect(templateOf("GET", path), path).toBeUndefined()
  expect(templateOf("DELETE", "/api/v1/events")).toBeUndefined()
})

/** Served by Effect's router, the answer being the template. */
const served = Effect.gen(function* () {
  const router = yield* HttpRouter.HttpRouter
  yield* router.addAll(
    routes().map(({ method, template }) =>
      HttpRouter.route(
        method as "GET",
        `/${template.slice(1).replace(/\{(\w+)\}/g, ":$1")}`,
        HttpServerResponse.text(template)
      )
    )
  )
  return (method: string, url: string) =>
    router.asHttpEffect().pipe(
      Effect.map(({ body }) =>
        body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : undefined
      ),
      Effect.provideService(
        HttpServerRequest.HttpServerRequest,
        HttpServerRequest.fromWeb(new Request("http://h/", { method })).modify({ url })
      ),
      Effect.catch(() => Effect.succeed(undefined)),
      Effect.scoped
    )
}).pipe(Effect.provide(HttpRouter.layer))

const forms = [
  "/api/v1/events/",
  "//api/v1//events",
  "/API/v1/Events?limit=1",
  "/api/v1/%65vents",
  "/api/v1/events;a=b",
  "/api/v1/events#a",
  "/api/v1/orders/1/",
  "/api/v1/orders/%31/tickets.pdf//",
  "/api/v1/orders/1%2F2",
  "/api/v1/orders/../tickets.pdf",
  "/api/v1/./events",
  "/api/v1/orders/../events",
  "/api/v1/orders/..",
  "/api/v1/%zz",
  `/api/v1/orders/${"1".repeat(100)}`,
  `/api/v1/orders/${"1".repeat(101)}`,
  "//",
  "/HealthZ/"
]

test("every form of a path counts as the route that takes it, and nothing else does", () =>
  Effect.gen(function* () {
    const ask = yield* served
    for (const path of forms) expect(templateOf("GET", path), path).toBe(yield* ask("GET", path))
    const others = forms.filter((path) => templateOf("GET", path) === undefined)
    expect(others).toHaveLength(4)
  }).pipe(Effect.runPromise))

test("a HEAD is counted with its route", () => {
  expect(templateOf("HEAD", "/api/v1/events/1/availability?x")).toBe("/api/v1/events/{eventId}/availability")
})

test("a bucket ends at the targets of every level, so that a share above is counted and not guessed", () => {
  for (const level of levels)
    for (const ms of [asked[level].p95, asked[level].p99]) expect(boundaries).toContain(ms / 1_000)
})
