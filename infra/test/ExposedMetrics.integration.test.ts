/** What alerts and dashboards ask for is what the running service tells: the names, and the labels they choose by. */
import { assert, it } from "@effect/vitest"
import { Order } from "../../packages/contracts/src/http/OrdersApi.ts"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
import { parse } from "yaml"
import * as Service from "../../apps/onsale/test/e2e/Service.ts"
import * as Shop from "../../apps/onsale/test/e2e/Shop.ts"
import * as Dashboards from "./Dashboards.ts"
import { read } from "./Workspace.ts"

interface Groups {
  readonly groups: ReadonlyArray<{ readonly rules: ReadonlyArray<{ readonly expr: string }> }>
}

/** Why one process that sold a ticket, and whom nothing went wrong for, does not tell of these. */
const elsewhere: ReadonlyArray<readonly [names: RegExp, reason: string]> = [
  [/^onsale_admission_refused_total$/, "nobody is refused"],
  [/^onsale_bus_|^onsale_relay_/, "an event bus is of a cluster"],
  [/^onsale_cache_|^onsale_cluster_|^onsale_redis_/, "Redis at L1, a cluster"],
  [/^onsale_payment_(breaker_open|rerouted|strays)$/, "a provider has failed"],
  [/^onsale_orders_(late_money|resumed)$/, "an order did not go through at once"],
  [/^onsale_changes_slot_lost_total$/, "Postgres gave up a slot"],
  [/^onsale_changes_(lag|followed)/, "the embedded Postgres tells of it when a change comes"],
  [/^onsale_webhook_/, "an organiser has a webhook"],
  [
    /^onsale_notification_(breaker_open|stuck|waiting|dead_letters|oldest_\w+)$/,
    "counted once there is a queue"
  ],
  [/^onsale_reconciliation_|^onsale_payments_stuck_refunds$/, "after the first look at a provider's list"],
  [/^onsale_availability_streams$|^onsale_rpc_/, "somebody watches, or calls"],
  [/^onsale_rate_limited_total$/, "somebody asked for too much"],
  [/^onsale_search_events$/, "after the index was counted"]
]

const expressions = [
  ...["rules", "objectives"].flatMap((name) =>
    (parse(read(`infra/prometheus/${name}.yml`)) as Groups).groups.flatMap(({ rules }) =>
      rules.map(({ expr }) => expr)
    )
  ),
  ...Dashboards.all().flatMap(Dashboards.expressions)
]

/** Names of labels by the metric that is chosen from by them. Braces stand in character classes of values, too. */
const chosenBy = expressions.flatMap((expression) =>
  [
    ...expression.matchAll(/\b((?:onsale|effect_cluster|process)_[a-z_0-9]+)\{((?:[^{}"]|"[^"]*")*)\}/g)
  ].flatMap(([, name = "", selector = ""]) =>
    [...selector.replace(/"[^"]*"/g, '""').matchAll(/(\w+)\s*[=!]/g)].map(([, label = ""]) => ({
      name,
      label
    }))
  )
)

/** Prometheus gives them to what it scrapes. */
const ofTheScrape = new Set(["job", "instance"])

it.live(
  "a service that sold a ticket exposes every metric and label that is asked for",
  () =>
    Effect.gen(function* () {
      const service = yield* Service.start()
      const shop = Shop.at(service.url)
      const plan = ["section,row,seat_from,seat_to,quantity,price", "Stalls,1,1,50,,45.00"].join("\n")
      const event = yield* shop.openEvent(yield* shop.importPlan("csv", plan), { tiers: [], currency: "EUR" })
      yield* shop.send({ path: `/api/v1/events/${event.id}/availability` })
      yield* shop.send({ path: "/api/v1/search/events?q=anything" })
      const hold = yield* shop.hold(event.id, { bestAvailable: { quantity: 2 } })
      yield* Effect.flatMap(shop.tryOrder(hold.id, "tok_ok"), Shop.expect(201, Order))
      const scrape = Effect.map(shop.send({ path: "/metrics" }), ({ text }) => text)
      const isElsewhere = (name: string) => elsewhere.some(([names]) => names.test(name))
      const absent = (text: string) =>
        [...new Set(expressions.flatMap(Dashboards.metricsIn))].filter(
          (name) => !isElsewhere(name) && !new RegExp(`^${name}(_count)?[{ ]`, "m").test(text)
        )
      const text = yield* pollUntil(scrape, (text) => absent(text).length === 0, {
        deadline: "20 seconds"
      }).pipe(Effect.catchTag("PollTimeout", () => scrape))
      assert.deepStrictEqual(absent(text), [])
      const unlabelled = chosenBy.filter(
        ({ label, name }) =>
          !isElsewhere(name) &&
          !ofTheScrape.has(label) &&
          !new RegExp(`^${name}\\{(.*,)?${label}="`, "m").test(text)
      )
      assert.deepStrictEqual(unlabelled, [])
      // The lean and the typed routes, by their templates alone.
      assert.match(
        text,
        /onsale_http_requests_total\{.*route="\/api\/v1\/orders".*status_class="2xx".*\} 1\n/
      )
      assert.match(
        text,
        /onsale_http_requests_total\{.*route="\/api\/v1\/events\/\{eventId\}\/holds".*\} 1\n/
      )
      assert.notInclude(
        text
          .split("\n")
          .filter((line) => line.startsWith("onsale_http"))
          .join("\n"),
        event.id
      )
      const open = yield* shop.send({
        path: "/metrics",
        headers: { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" }
      })
      assert.match(open.headers["content-type"] ?? "", /^application\/openmetrics-text; version=1\.0\.0/)
      assert.isTrue(open.text.endsWith("\n# EOF\n"))
    }).pipe(Effect.scoped),
  60_000
)
